export const isRaw = true;

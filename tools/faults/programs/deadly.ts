/** Begins the body of a message that kills whoever handles it. */
export const DEADLY = "deadly";

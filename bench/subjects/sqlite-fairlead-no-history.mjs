import { open as openAny } from "./sqlite-fairlead.mjs";

/** Keeps nothing of what is over, as the raw one. */
export const open = (settings) => openAny({ ...settings, driver: { historyMs: 0 } });

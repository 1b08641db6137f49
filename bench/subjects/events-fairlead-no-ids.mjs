import { connectWith } from "./events-fairlead.mjs";

const EVENT = { body: Buffer.alloc(1_024, 120) };

export { serve } from "./events-fairlead.mjs";

/** Posts that are stored as often as they are sent. */
export const connect = async ({ address }) => connectWith(address, () => EVENT);

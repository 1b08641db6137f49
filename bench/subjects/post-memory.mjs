import { serveEvents } from "../grpc/serve-events.mjs";

export const serve = () => serveEvents({});

export { serveEvents as serve } from "../grpc/serve-events.mjs";

import { serveBareGrpc } from "../grpc/serve-bare-grpc.mjs";

/** Takes the same message, answers at once, and does nothing. */
export const serve = () => serveBareGrpc({});

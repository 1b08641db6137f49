import type { ClientFrame__Output } from "../gen/fairlead/v1/ClientFrame.js";
import type { PostEventsRequest__Output } from "../gen/fairlead/v1/PostEventsRequest.js";
import type { PostRequest__Output } from "../gen/fairlead/v1/PostRequest.js";
import type { ReplayRequest__Output } from "../gen/fairlead/v1/ReplayRequest.js";
import type { SignalRequest__Output } from "../gen/fairlead/v1/SignalRequest.js";
import type { EventMsg__Output } from "../gen/queue/EventMsg.js";
import type { Right } from "./rights.js";

/** A name that a part of a request speaks of; the part is what is refused if the caller has no right to it. */
export interface NamedPart {
  readonly part: object;
  readonly name: string;
}

export interface RpcRule {
  /** Who may call: everybody, whoever has an entry, or whoever has some of this right. */
  readonly needs: "nothing" | "entry" | Right;
  /** The names in one request. `isFirst`: nothing came before it on this call. */
  readonly named?: ((request: never, isFirst: boolean) => readonly NamedPart[]) | undefined;
  /** The whole stream is about the names that it was begun with. */
  readonly keepsName?: boolean | undefined;
  /** Clients come back at once when it ends, so it must not be refused at once. */
  readonly refuseLater?: boolean | undefined;
}

interface OfClient {
  readonly clientId: string;
}

const byClient = (request: OfClient): readonly NamedPart[] => [{ part: request, name: request.clientId }];
/** An ack token is known only to whoever was handed the event; so having some of the right is enough. */
const ack: RpcRule = { needs: "subscribe" };
const close: RpcRule = { needs: "subscribe", named: byClient };

/**
 * What each rpc needs. One that is not here is refused to everybody. `queueOf`: the queue that a name of an Inspection
 * request stands for.
 */
export function rpcRules(queueOf: (name: string) => string): ReadonlyMap<string, RpcRule> {
  const byQueue = (request: { readonly queue: string }): readonly NamedPart[] => [
    { part: request, name: queueOf(request.queue) },
  ];
  const admin: RpcRule = { needs: "admin", named: byQueue };
  const adminStream: RpcRule = { ...admin, keepsName: true };
  const rules: Readonly<Record<string, RpcRule>> = {
    "/queue.QueueApi/PostEvent": { needs: "post", named: (request: EventMsg__Output) => byClient(request) },
    "/queue.QueueApi/SubscribeEvents": { needs: "subscribe", named: byClient, keepsName: true, refuseLater: true },
    "/queue.QueueApi/Ack": ack,
    "/queue.QueueApi/Close": close,
    "/fairlead.v1.Events/Post": {
      needs: "post",
      named: (request: PostRequest__Output) => [{ part: request, name: request.event?.clientId ?? "" }],
    },
    "/fairlead.v1.Events/PostEvents": {
      needs: "post",
      named: ({ events }: PostEventsRequest__Output) => events.map((part) => ({ part, name: part.clientId })),
    },
    "/fairlead.v1.Events/Subscribe": {
      needs: "subscribe",
      // Later requests need not repeat it, and must not change it.
      named: (request: OfClient, isFirst) => (isFirst || request.clientId !== "" ? byClient(request) : []),
      keepsName: true,
      refuseLater: true,
    },
    "/fairlead.v1.Events/Ack": ack,
    "/fairlead.v1.Events/Close": close,
    "/fairlead.v1.Inspection/Counts": admin,
    "/fairlead.v1.Inspection/Browse": adminStream,
    "/fairlead.v1.Inspection/Remove": admin,
    "/fairlead.v1.Inspection/Replay": {
      needs: "admin",
      named: (request: ReplayRequest__Output) =>
        request.to === "" ? byQueue(request) : [...byQueue(request), { part: request, name: request.to }],
      keepsName: true,
    },
    "/fairlead.v1.Inspection/Update": admin,
    "/fairlead.v1.RequestSink/Call": {
      needs: "request",
      named: (frame: ClientFrame__Output) => (frame.request ? [{ part: frame, name: frame.request.sink }] : []),
      keepsName: true,
    },
    "/fairlead.v1.RequestSink/Signal": {
      needs: "request",
      named: (request: SignalRequest__Output) => [{ part: request, name: request.sink }],
      keepsName: true,
    },
    "/grpc.health.v1.Health/Check": { needs: "nothing" },
    "/grpc.health.v1.Health/Watch": { needs: "nothing" },
    "/grpc.health.v1.Health/List": { needs: "nothing" },
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": { needs: "entry" },
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": { needs: "entry" },
  };
  return new Map(Object.entries(rules));
}

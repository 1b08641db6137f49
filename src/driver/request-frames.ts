/** The kinds of frame of the RequestSink protocol, as they stand in `WireMessage.type`. */
export const FRAME = {
  /** Client to queue: a request. */
  signal: "Signal",
  /** Client to queue: a request whose body is to be uploaded. */
  channelRequest: "ChannelRequest",
  /** Server to the client's inbox: upload to this inbox. */
  channelSetup: "ChannelSetup",
  /** Either way: a piece of a large body. */
  fragment: "Fragment",
  /** Either way: all pieces were sent. */
  fragmentEnd: "FragmentEnd",
  response: "Response",
  /** Server to inbox: the deadline has moved. */
  keepAlive: "KeepAlive",
  /** Server to inbox: the calls that it runs for this client. */
  alive: "Alive",
  /**
   * Client to node: how far it may send; server to client: how far it may upload. With the header `closing` it is of no
   * single call: its body is a JSON array of the ids of calls whose End or Error has come; the node keeps nothing of
   * them any more. Its correlation id is the ClientID then, and it has no numbers.
   */
  credit: "Credit",
  /** Server to inbox: the call has failed. */
  error: "Error",
  end: "End",
  /** Client to node, or to all: give the call up. */
  abort: "Abort",
  /**
   * Client to the node that answered or named the call: answer in this inbox from now on, beginning after the last
   * response that has come. Headers: `client`, `inbox`, `received`, `resume`, and as on Credit `consumed`, `grantedUpTo`
   * and `run` (the last where one is known). Sent again every half interval of Alive until a frame answers it that
   * carries its number in `resume`: the node sends such a one first, a KeepAlive with `extendMs` (0 where nothing was
   * promised), or an Error when it does not have what is asked for.
   */
  resume: "Resume",
  /** Client to its own inbox: is it still there? */
  probe: "Probe",
} as const;

/** The headers of those frames. Numbers are decimal, flags are `true`; an absent flag is false. */
export const FRAME_HEADER = {
  version: "fairlead-version",
  maxVersion: "fairlead-max-version",
  /** The ServerNodeID of whoever sent a frame to an inbox. */
  node: "fairlead-node",
  /** The ClientID. */
  client: "fairlead-client",
  /** The application's name of the call. */
  callId: "fairlead-call-id",
  timeoutMs: "fairlead-timeout-ms",
  /** When the caller made the request, in milliseconds since the epoch. */
  timestamp: "fairlead-timestamp",
  /** `false`: nothing moves the deadline. */
  allowKeepAlive: "fairlead-allow-keep-alive",
  idempotent: "fairlead-idempotent",
  window: "fairlead-window",
  windowBytes: "fairlead-window-bytes",
  /** On a ChannelSetup: where to upload to. On a Resume: where to answer. */
  inbox: "fairlead-inbox",
  /** Of the body that is to be uploaded. */
  totalBytes: "fairlead-total-bytes",
  /** 1-based, of the response in its call. */
  sequence: "fairlead-sequence",
  /** 0-based, of the piece in its body. */
  fragment: "fairlead-fragment",
  fragments: "fairlead-fragments",
  /** SHA-256 of the whole body, hexadecimal. */
  checksum: "fairlead-checksum",
  extendMs: "fairlead-extend-ms",
  /** How often the server names its calls, on the first frame of each. */
  aliveMs: "fairlead-alive-ms",
  consumed: "fairlead-consumed",
  grantedUpTo: "fairlead-granted-up-to",
  /**
   * On an End; and on a Response that is the last, where the request has said `jointEnd`: then it stands for the End, too.
   * Sent again, it may be followed by an End as any other.
   */
  totalResponses: "fairlead-total-responses",
  /** On a Signal, `true`: the client understands a Response that is the End as well. */
  jointEnd: "fairlead-joint-end",
  /** On the answers to a request that was delivered again: tells this run of it from an earlier one on the same node. */
  run: "fairlead-run",
  /** On an Error: the call was never started by this node. */
  refused: "fairlead-refused",
  /** On a Resume: the highest sequence that has come whole, 0 for none. */
  received: "fairlead-received",
  /**
   * On a Resume: its number, 1 for the first of its call and higher for each new one; repeated it is the same. On every
   * frame of a call from a server that has heard a Resume for it: the highest that it has heard. Absent before that, which
   * stands for 0. Not on Alive, which is not of one call.
   */
  resume: "fairlead-resume",
  /** On a Credit, `true`: it counts ends, those of the calls in its body. */
  closing: "fairlead-closing",
} as const;

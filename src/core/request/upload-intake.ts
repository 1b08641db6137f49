import type { DriverInbox, WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { Ending } from "../../util/ending.js";
import type { CoreContext } from "../core-context.js";
import { Limit } from "../limit.js";
import { Supervised } from "../supervised.js";
import { FragmentAssembly } from "./fragments.js";
import { FRAME, FRAME_HEADER, numberIn } from "./frames.js";
import type { ReplySender } from "./reply-sender.js";
import type { ServerCall } from "./server-call.js";

/** Pieces that a client may send ahead. */
const WINDOW = 16;

interface Uploading {
  readonly call: ServerCall;
  readonly assembly: FragmentAssembly;
  granted: number;
  whole(body: Uint8Array): void;
}

/** The server's inbox, opened for the first large request, and the bodies that are being put together there. */
export class UploadIntake {
  readonly #context: CoreContext;
  readonly #replies: ReplySender;
  readonly #uploads = new Map<string, Uploading>();
  readonly #inbox: Supervised<DriverInbox>;
  #isOpening = false;
  #isOpen = false;

  constructor(context: CoreContext, replies: ReplySender, sink: string) {
    const { connection, clock, random, driver } = context;
    this.#context = context;
    this.#replies = replies;
    this.#inbox = new Supervised<DriverInbox>({
      what: `open an inbox for uploads to ${sink}`,
      connection,
      clock,
      random,
      toMessagingError: (error) => driver.toMessagingError(error),
      create: (link, onLost, lost) => link.openInbox((frame) => this.#onFrame(frame, lost), onLost),
      onLive: () => this.#onLive(),
      onRecovering: () => {},
      onFailed: (error) => {
        this.#isOpen = false;
        this.#failAll(error);
      },
    });
  }

  /** Uploads that are not whole yet. */
  get size(): number {
    return this.#uploads.size;
  }

  /** Asks the client to upload; `whole` is called once, with the body. What goes wrong ends the call. */
  begin(call: ServerCall, whole: (body: Uint8Array) => void): void {
    const assembly = new FragmentAssembly(call.request.totalBytes ?? 0);
    this.#uploads.set(call.request.id, { call, assembly, granted: WINDOW, whole });
    const address = this.#inbox.life?.resource.address;
    if (address !== undefined) this.#setUp(call, address);
    else this.#open();
  }

  /** The call is over, or asked for anew. */
  forget(call: ServerCall): void {
    if (this.#uploads.get(call.request.id)?.call === call) this.#uploads.delete(call.request.id);
  }

  async close(): Promise<void> {
    await this.#inbox.stop();
    this.#inbox.detach();
  }

  #open(): void {
    if (this.#isOpening || this.#isOpen) return;
    this.#isOpening = true;
    const { clock, connection, connectTimeoutMs, driver } = this.#context;
    const ended = [connection.ended, this.#inbox.stopped];
    const limit = new Limit({ clock, what: "open an inbox for uploads", timeoutMs: connectTimeoutMs, ended });
    this.#inbox
      .start(limit)
      .then(
        () => {
          this.#isOpen = true;
        },
        (error: unknown) => {
          this.#isOpening = false;
          this.#failAll(driver.toMessagingError(error));
        },
      )
      .finally(() => {
        this.#isOpening = false;
        limit.dispose();
      });
  }

  #onLive(): void {
    const life = this.#inbox.life;
    if (life === undefined) return;
    for (const { call } of [...this.#uploads.values()]) this.#setUp(call, life.resource.address);
    life.lost.onEnd(() =>
      this.#failAll(new MessagingError("UNAVAILABLE", "the server's inbox was lost in the middle of the upload")),
    );
  }

  #setUp({ request, frames }: ServerCall, address: string): void {
    if (request.replyTo === undefined) return;
    frames.askedForUpload();
    this.#replies.send(request.replyTo, {
      type: FRAME.channelSetup,
      correlationId: request.id,
      headers: {
        [FRAME_HEADER.version]: request.version,
        [FRAME_HEADER.inbox]: address,
        [FRAME_HEADER.grantedUpTo]: String(WINDOW),
      },
    });
  }

  #onFrame(frame: WireMessage, lost: Ending<MessagingError>): void {
    if (lost.hasEnded) return;
    const upload = this.#uploads.get(frame.correlationId ?? "");
    if (upload === undefined || frame.headers[FRAME_HEADER.client] !== upload.call.request.clientId) {
      const { observe } = this.#context;
      const reason = "a piece of an upload that is not awaited";
      observe({ type: "discarded", source: "inbox", reason, messageId: frame.messageId });
      return;
    }
    try {
      this.#onPiece(frame, upload);
    } catch (error) {
      this.#uploads.delete(upload.call.request.id);
      upload.call.fail(error as MessagingError);
    }
  }

  #onPiece({ type, headers, body }: WireMessage, upload: Uploading): void {
    const { call, assembly } = upload;
    call.extendForPiece();
    if (type === FRAME.fragment) {
      const index = numberIn(headers, FRAME_HEADER.fragment);
      if (index === undefined) throw new MessagingError("DATA_LOSS", "a piece of the request has no index");
      if (index >= upload.granted)
        throw new MessagingError("REJECTED", `piece ${index} was sent without credit for it`);
      assembly.add(index, body);
      this.#grant(upload);
    } else if (type === FRAME.fragmentEnd) {
      const total = numberIn(headers, FRAME_HEADER.fragments);
      if (total === undefined) throw new MessagingError("DATA_LOSS", "the end of the upload says no number of pieces");
      assembly.finish(total, headers[FRAME_HEADER.checksum] ?? "");
    }
    const whole = assembly.take();
    if (whole === undefined) return;
    this.#uploads.delete(call.request.id);
    if (whole.byteLength !== call.request.totalBytes) {
      throw new MessagingError("DATA_LOSS", "the uploaded request has not the size that was announced");
    }
    upload.whole(whole);
  }

  /** In batches of half the window. */
  #grant(upload: Uploading): void {
    const { call, assembly } = upload;
    const { request } = call;
    if (request.replyTo === undefined || assembly.count + WINDOW - upload.granted < WINDOW / 2) return;
    upload.granted = assembly.count + WINDOW;
    this.#replies.send(request.replyTo, {
      type: FRAME.credit,
      correlationId: request.id,
      headers: {
        [FRAME_HEADER.version]: request.version,
        [FRAME_HEADER.consumed]: String(assembly.count),
        [FRAME_HEADER.grantedUpTo]: String(upload.granted),
      },
    });
  }

  #failAll(error: MessagingError): void {
    for (const { call } of [...this.#uploads.values()]) {
      this.forget(call);
      call.fail(error);
    }
  }
}

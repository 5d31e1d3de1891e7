import type { Socket } from "node:net";
import type { ClusterConnectError } from "../runtime/errors";
import { abortSocket } from "./abort-socket";
import { failureWords } from "./exec-status";
import type { LastWords, WebSocketGuard } from "./websocket-guard";

export interface SpliceEnd {
  /** Which side ended first, and how; or that the stream was cut because its time was over. */
  readonly end: "caller ended" | "caller lost" | "apiserver ended" | "apiserver lost" | "expired";
  readonly bytesToApiserver: number;
  readonly bytesToCaller: number;
}

export interface SpliceOptions {
  /** Follows a WebSocket's frames; absent for SPDY, whose loss cannot be told to the caller. */
  readonly guard?: WebSocketGuard | undefined;
  readonly lingerMs: number;
  /** Aborted, with a ClusterConnectError, when the stream has run as long as it may. */
  readonly deadline: AbortSignal;
}

/**
 * Joins two upgraded connections until both are gone: bytes untouched, back-pressure both ways, and an end passed
 * on only after everything before it.
 */
export function splice(caller: Socket, apiserver: Socket, options: SpliceOptions): Promise<SpliceEnd> {
  const ends = new SpliceEnds(caller, apiserver, options);
  pump(caller, apiserver, (chunk) => [chunk]);
  pump(
    apiserver,
    caller,
    (chunk) => ends.pass(chunk),
    () => ends.passed(),
  );
  caller.once("end", () => ends.onCallerEnded());
  caller.once("error", () => undefined).once("close", () => ends.onCallerLost());
  apiserver.once("end", () => ends.onApiserverGone(true));
  apiserver.on("error", () => undefined).once("close", () => ends.onApiserverGone(false));
  const { deadline } = options;
  const cut = () => ends.cut();
  deadline.addEventListener("abort", cut);
  return new Promise((resolve) => {
    let open = 2;
    const onClose = () => {
      open -= 1;
      if (open > 0) return;
      deadline.removeEventListener("abort", cut);
      resolve({
        end: ends.end ?? "caller lost",
        bytesToApiserver: apiserver.bytesWritten,
        bytesToCaller: caller.bytesWritten,
      });
    };
    caller.once("close", onClose);
    apiserver.once("close", onClose);
  });
}

/** How a splice comes to its end, and what the caller is told of it. */
class SpliceEnds {
  end: SpliceEnd["end"] | undefined;
  #isApiserverGone = false;
  /** Set while the message under way is still passed on, so that the caller can be told between two. */
  #cutting: NodeJS.Timeout | undefined;

  constructor(
    private readonly caller: Socket,
    private readonly apiserver: Socket,
    private readonly options: SpliceOptions,
  ) {}

  /** What to pass on of the apiserver's bytes. */
  pass(chunk: Buffer): Buffer[] {
    const { guard } = this.options;
    if (guard === undefined) return [chunk];
    return this.#cutting === undefined ? guard.pass(chunk) : guard.passToMessageEnd(chunk);
  }

  /** What `pass` gave has been written. */
  passed(): void {
    if (this.#cutting !== undefined && this.options.guard?.isBetweenMessages === true) this.#expire();
  }

  onCallerEnded(): void {
    this.end ??= "caller ended";
    endWithin(this.apiserver, this.options.lingerMs);
  }

  onCallerLost(): void {
    this.end ??= "caller lost";
    clearTimeout(this.#cutting);
    abortSocket(this.apiserver);
  }

  onApiserverGone(orderly: boolean): void {
    if (this.#isApiserverGone) return;
    this.#isApiserverGone = true;
    clearTimeout(this.#cutting);
    const words = this.end === undefined ? this.options.guard?.lastWords() : undefined;
    this.end ??=
      orderly && (words === undefined || words.kind === "closed") ? "apiserver ended" : "apiserver lost";
    this.#tell(words, orderly);
  }

  /** The time is over: at once if the caller can be told now, else when the message under way is through. */
  cut(): void {
    const { guard, lingerMs } = this.options;
    if (guard === undefined || guard.isBetweenMessages) return this.#expire();
    this.#cutting ??= setTimeout(() => this.#expire(), lingerMs);
  }

  #expire(): void {
    if (this.#isApiserverGone) return;
    this.#isApiserverGone = true;
    clearTimeout(this.#cutting);
    this.end ??= "expired";
    const reason = this.options.deadline.reason as ClusterConnectError;
    this.#tell(this.options.guard?.lastWords(failureWords(reason)), false);
    abortSocket(this.apiserver);
  }

  #tell(words: LastWords | undefined, orderly: boolean): void {
    const { caller } = this;
    const isTold = words?.kind === "frames" || words?.kind === "closed";
    if (!orderly && !isTold) return abortSocket(caller);
    if (words?.kind === "mid-frame") return abortSocket(caller);
    if (words?.kind === "frames") caller.write(words.frames);
    // Still read, and dropped: unread bytes would turn the end into a reset, and the last frames with it.
    caller.removeAllListeners("data").resume();
    endWithin(caller, this.options.lingerMs);
  }
}

function pump(
  from: Socket,
  to: Socket,
  map: (chunk: Buffer) => readonly Buffer[],
  written: () => void = () => undefined,
): void {
  to.on("drain", () => from.resume());
  from.on("data", (chunk: Buffer) => {
    if (to.destroyed || to.writableEnded) return;
    let hasRoom = true;
    for (const part of map(chunk)) hasRoom = to.write(part);
    if (!hasRoom) from.pause();
    written();
  });
}

/** Ends a socket after what is queued; when nothing moves for `ms` afterwards, drops it. */
function endWithin(socket: Socket, ms: number): void {
  socket.setTimeout(ms, () => abortSocket(socket));
  socket.end();
}

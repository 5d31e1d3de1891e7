import type { Socket } from "node:net";
import { abortSocket } from "./abort-socket";
import type { WebSocketGuard } from "./websocket-guard";

export interface SpliceEnd {
  /** Which side ended first, and how. */
  readonly end: "caller ended" | "caller lost" | "apiserver ended" | "apiserver lost";
  readonly bytesToApiserver: number;
  readonly bytesToCaller: number;
}

export interface SpliceOptions {
  /** Follows a WebSocket's frames; absent for SPDY, whose loss cannot be told to the caller. */
  readonly guard?: WebSocketGuard | undefined;
  readonly lingerMs: number;
}

/**
 * Joins two upgraded connections until both are gone: bytes untouched, back-pressure both ways, and an end passed
 * on only after everything before it.
 */
export function splice(caller: Socket, apiserver: Socket, options: SpliceOptions): Promise<SpliceEnd> {
  const { guard, lingerMs } = options;
  let end: SpliceEnd["end"] | undefined;

  pump(caller, apiserver, (chunk) => [chunk]);
  pump(apiserver, caller, (chunk) => guard?.pass(chunk) ?? [chunk]);

  caller.once("end", () => {
    end ??= "caller ended";
    endWithin(apiserver, lingerMs);
  });
  caller
    .once("error", () => undefined)
    .once("close", () => {
      end ??= "caller lost";
      abortSocket(apiserver);
    });

  let isApiserverGone = false;
  const onApiserverGone = (orderly: boolean) => {
    if (isApiserverGone) return;
    isApiserverGone = true;
    const words = end === undefined ? guard?.lost() : undefined;
    end ??=
      orderly && (words === undefined || words.kind === "closed") ? "apiserver ended" : "apiserver lost";
    const isTold = words?.kind === "frames" || words?.kind === "closed";
    if (!orderly && !isTold) return abortSocket(caller);
    if (words?.kind === "mid-frame") return abortSocket(caller);
    if (words?.kind === "frames") caller.write(words.frames);
    // Still read, and dropped: unread bytes would turn the end into a reset, and the last frames with it.
    caller.removeAllListeners("data").resume();
    endWithin(caller, lingerMs);
  };
  apiserver.once("end", () => onApiserverGone(true));
  apiserver.on("error", () => undefined).once("close", () => onApiserverGone(false));

  return new Promise((resolve) => {
    let open = 2;
    const onClose = () => {
      open -= 1;
      if (open > 0) return;
      resolve({
        end: end ?? "caller lost",
        bytesToApiserver: apiserver.bytesWritten,
        bytesToCaller: caller.bytesWritten,
      });
    };
    caller.once("close", onClose);
    apiserver.once("close", onClose);
  });
}

function pump(from: Socket, to: Socket, map: (chunk: Buffer) => readonly Buffer[]): void {
  to.on("drain", () => from.resume());
  from.on("data", (chunk: Buffer) => {
    if (to.destroyed || to.writableEnded) return;
    let hasRoom = true;
    for (const part of map(chunk)) hasRoom = to.write(part);
    if (!hasRoom) from.pause();
  });
}

/** Ends a socket after what is queued; when nothing moves for `ms` afterwards, drops it. */
function endWithin(socket: Socket, ms: number): void {
  socket.setTimeout(ms, () => abortSocket(socket));
  socket.end();
}

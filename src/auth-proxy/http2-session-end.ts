import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/**
 * Neither an HTTP/2 session nor its socket outlives the other for long. Node alone does not see to it: the socket may
 * stay half open, for HTTP/1.1's sake, so that a session never notices that its peer has ended; and a session that
 * has been closed waits for its peer to end as well, however long that takes.
 */
export function endTogether(session: ServerHttp2Session, socket: Socket, lingerMs: number): void {
  socket.once("end", () => socket.destroy());
  const destroy = session.destroy.bind(session);
  session.destroy = (...reason: Parameters<typeof destroy>) => {
    destroy(...reason);
    if (socket.destroyed) return;
    // A GOAWAY may be on its way. Read on, since reading is what shows the peer's end.
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer)).resume();
  };
}

/**
 * Drops a connection whose peer has not begun by `ms` from now, with preface and SETTINGS (RFC 9113 §3.4), as one over
 * HTTP/1.1 is dropped that does not send the head of its first request. One that is reset before that may be known by
 * nothing else: our own SETTINGS take the error with them (nodejs/node#55804), and Node reads no more.
 */
export function dropWithoutPreface(session: ServerHttp2Session, socket: Socket, ms: number): void {
  const timer = setTimeout(() => socket.destroy(), ms);
  session.once("remoteSettings", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
}

/**
 * After `idleMs` of silence a session without requests is closed, as HTTP/1.1's keep-alive has it. One with a quiet
 * watch is not idle, yet has to answer a PING. Either takes at most `answerMs`: nghttp2 leaves a session whose peer
 * broke the rules (a header block over its bounds, say) neither alive nor closed, and reads no more from it; and from
 * Node 24 on, one that is closed waits for what it has still to send, though its peer has gone.
 */
export function closeWhenIdle(session: ServerHttp2Session, idleMs: number, answerMs: number): void {
  let open = 0;
  session.on("stream", (stream) => {
    open += 1;
    stream.once("close", () => (open -= 1));
  });
  // Not as setTimeout()'s own listener, which is asked once; nor does Node start its timer anew for an answered PING.
  session.on("timeout", () => {
    const timer = setTimeout(() => session.destroy(), answerMs);
    const settled = () => {
      clearTimeout(timer);
      session.off("close", settled);
    };
    session.once("close", settled);
    if (open === 0) return session.close();
    const answered = () => {
      settled();
      session.setTimeout(idleMs);
    };
    session.ping((error) => (error === null ? answered() : session.destroy()));
  });
  session.setTimeout(idleMs);
}

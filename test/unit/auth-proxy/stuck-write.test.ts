import { EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { dropWhenStuck } from "../../../src/auth-proxy/stuck-write";

/** A socket whose writes are done when the test says so. */
class HeldSocket extends Duplex {
  readonly writes = new EventEmitter();
  bytesWritten = 0;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {
    // Only the end ever comes.
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.writes.once("done", () => {
      this.bytesWritten += chunk.length;
      done();
    });
  }
}

describe("a write that is stuck", () => {
  const stuckMs = 1_000;
  let socket: HeldSocket;
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] });
    socket = new HeldSocket();
    dropWhenStuck(socket as unknown as Socket, stuckMs);
  });
  afterEach(() => {
    socket.destroy();
    jest.useRealTimers();
  });
  const end = async () => {
    socket.push(null);
    socket.resume();
    await once(socket, "end");
  };
  const isKeptFor = (ms: number) => {
    jest.advanceTimersByTime(ms);
    return !socket.destroyed;
  };

  it("ends its connection once the peer has ended", async () => {
    socket.write("answer");
    await end();
    expect(isKeptFor(stuckMs - 1)).toBe(true);
    expect(isKeptFor(1)).toBe(false);
    await once(socket, "close");
    expect(jest.getTimerCount()).toBe(0);
  });

  it("has as long again with each piece that is written, and no end once all is", async () => {
    socket.write("answer");
    socket.write("more");
    await end();
    socket.writes.emit("done");
    expect(isKeptFor(stuckMs)).toBe(true);
    await new Promise(setImmediate);
    socket.writes.emit("done");
    expect(isKeptFor(10 * stuckMs)).toBe(true);
  });

  it("is nobody's business while the peer has not ended, which may read slowly", () => {
    socket.write("answer");
    expect(isKeptFor(10 * stuckMs)).toBe(true);
  });
});

import { once } from "node:events";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { watchWaitingCaller } from "../../../src/auth-proxy/waiting-caller";
import { eventually } from "../../support/eventually";

describe("a caller who waits for his upgrade", () => {
  const caller = () => new PassThrough({ highWaterMark: 8, autoDestroy: false });

  it("is read no further than a stream would buffer, and gets all of it put back", async () => {
    const socket = caller();
    const stop = watchWaitingCaller(socket as unknown as Socket, () => undefined);
    socket.write("12345678");
    await eventually(() => socket.isPaused());
    socket.write("9");
    stop();
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume();
    socket.end();
    await once(socket, "end");
    expect(Buffer.concat(chunks).toString()).toBe("123456789");
  });

  it("has gone when he ends his side, and nothing is put back behind an end", async () => {
    const socket = caller();
    const onGone = jest.fn();
    const stop = watchWaitingCaller(socket as unknown as Socket, onGone);
    socket.end("1234");
    await once(socket, "end");
    expect(onGone).toHaveBeenCalled();
    const onError = jest.fn();
    socket.on("error", onError);
    stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(onError).not.toHaveBeenCalled();
  });
});

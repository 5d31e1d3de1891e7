/** An upload that is cut, by its sender or on its way, must not look whole upstream: half a manifest is another one. */
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Frame, http2Preface } from "./fixture/raw-http2";
import { get, http1Text, http2Fields } from "./fixture/requests";

const post = { ...get, method: "POST" as const };

describeOnNodes("uploads that are cut", (proxy) => {
  let upstream: Socket;
  beforeEach(() => {
    proxy.apiserver.handle = (request) => {
      upstream = request.socket;
      request.resume().on("error", () => undefined);
    };
  });
  const isHalfThere = () => proxy.apiserver.rawBytes().some((bytes) => bytes.includes("half a manifest"));
  const expectCut = async () => {
    await eventually(() => upstream.destroyed);
    for (const bytes of proxy.apiserver.rawBytes())
      expect(bytes.toString("latin1")).not.toMatch(/half a manifest\r\n0\r\n\r\n/);
    expect(isHalfThere()).toBe(true);
  };

  it.each([
    ["drops its connection", (end: { destroy(): void; end(): void }) => end.destroy()],
    ["ends its connection", (end: { destroy(): void; end(): void }) => end.end()],
  ])("do not end upstream when the caller %s", async (_, cut) => {
    const socket = await proxy.connect();
    const { authorization } = proxy.caller;
    const head = http1Text(post, ["Transfer-Encoding: chunked"], { authorization });
    socket.write(Buffer.concat([head, Buffer.from("f\r\nhalf a manifest\r\n")]));
    await eventually(isHalfThere);
    cut(socket);
    await expectCut();
  });

  it.each([
    ["resets its stream", 8],
    ["resets its stream without an error", 0],
  ])("do not end upstream when the caller %s", async (_, code) => {
    const socket = await proxy.connect("h2");
    const fields = http2Fields(post, [], proxy.caller.authorization);
    const whole = encodeRequest({ fields, data: [Buffer.from("half a manifest"), Buffer.from("rest")] });
    // Without the last frame, which has the rest and the end.
    socket.write(Buffer.concat([http2Preface, whole.subarray(0, whole.length - 13)]));
    await eventually(isHalfThere);
    socket.write(http2Frame(3, 0, 1, Buffer.from([0, 0, 0, code])));
    await expectCut();
  });

  it("do not end upstream when the caller's HTTP/2 connection is gone", async () => {
    const socket = await proxy.connect("h2");
    const fields = http2Fields(post, [], proxy.caller.authorization);
    const whole = encodeRequest({ fields, data: [Buffer.from("half a manifest"), Buffer.from("rest")] });
    socket.write(Buffer.concat([http2Preface, whole.subarray(0, whole.length - 13)]));
    await eventually(isHalfThere);
    socket.destroy();
    await expectCut();
  });
});

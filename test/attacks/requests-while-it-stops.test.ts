/** Callers who keep on asking while the auth proxy stops: they neither hold it up, nor lose what was under way. */
import { EventEmitter, on, once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { nodes } from "../support/bundle-process";
import { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { untilGone } from "./fixture/answer";
import { get, http1Text } from "./fixture/requests";

describe.each(nodes)("a proxy that stops, on %s", (_, node) => {
  const proxy = new AttackedAuthProxy();
  beforeAll(() => proxy.start(node, () => ({ limits: { drainMs: 60_000 } })));
  afterAll(() => proxy.stop());

  const untilNobodyIsLetIn = async () => {
    const connected = async () => {
      const socket = await proxy.connectRaw();
      socket.destroy();
      return true;
    };
    while (await connected().catch(() => false)) await new Promise(setImmediate);
  };

  it("answers what is asked meanwhile, as the last, and is gone with what was under way", async () => {
    await proxy.begin();
    const held = new Map<string, ServerResponse>();
    const asked = new EventEmitter();
    proxy.apiserver.handle = ({ url = "" }, response) => {
      held.set(url, response);
      asked.emit(url);
    };
    const [long, short] = [await proxy.connect(), await proxy.connect()];
    const ask = async (socket: Socket, target: string) => {
      const { authorization } = proxy.caller;
      const isAsked = once(asked, target);
      socket.write(http1Text({ ...get, target }, [], { authorization }));
      await isAsked;
    };
    const answered = async (socket: Socket, target: string) => {
      held.get(target)!.end(target);
      let text = "";
      for await (const [piece] of on(socket, "data"))
        if ((text += String(piece)).endsWith(target)) return text;
      return "";
    };
    await ask(long, "/api/long");
    await ask(short, "/api/first");
    const exitCode = proxy.process.stop();
    await untilNobodyIsLetIn();
    expect(await answered(short, "/api/first")).toMatch(/^HTTP\/1\.1 200 /);
    await ask(short, "/api/second");
    expect(await answered(short, "/api/second")).toMatch(/\r\nConnection: close\r\n/);
    await untilGone(short);
    expect(await answered(long, "/api/long")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await exitCode).toBe(0);
  });
});

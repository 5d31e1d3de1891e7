/** A watch, or a shell, opened with a token of minutes and held for days: cut, where the operator wants it so. */
import type { Socket } from "node:net";
import { untilGone } from "./fixture/answer";
import { describeOnNodes, type useAuthProxy } from "./fixture/describe-attack";
import { encodeRequest, http2Preface } from "./fixture/raw-http2";
import { execByGet, execByPost, get, http1Text, http2Fields } from "./fixture/requests";

function holdsEverything(proxy: ReturnType<typeof useAuthProxy>): void {
  proxy.apiserver.handle = (_, response) => void response.writeHead(200).write("{}");
  proxy.apiserver.upgrade = (request, socket: Socket) => {
    const { upgrade } = request.headers;
    socket.resume().once("end", () => socket.end());
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
  };
}

/** A RST_STREAM frame's header. */
const resetOfStream1 = Buffer.from("000004030000000001", "hex").toString("latin1");

const held = {
  "a watch": { kind: { ...get, target: "/api/v1/pods?watch=true" }, alpn: "http/1.1" },
  "a watch over HTTP/2": { kind: { ...get, target: "/api/v1/pods?watch=true" }, alpn: "h2" },
  "an exec by GET": { kind: execByGet, alpn: "http/1.1" },
  "an exec by POST": { kind: execByPost, alpn: "http/1.1" },
} as const;

describe.each([
  ["its token's time", { end: "expiry" }, 2],
  ["an age", { end: "maxAge", maxAgeMs: 500 }, 300],
] as const)("streams beyond %s", (_, streams, lifetimeSeconds) => {
  describeOnNodes(
    "are cut",
    (proxy) => {
      beforeAll(() => holdsEverything(proxy));

      it.each(Object.entries(held))("never as if they had ended: %s", async (__, { kind, alpn }) => {
        const { groups, uid, user } = proxy.caller;
        const bare = groups.map((group) => group.slice("github:".length));
        const subject = user.slice("github:".length);
        const token = await proxy.issuer.mint({ groups: bare, uid }, { subject, lifetimeSeconds });
        const authorization = `Bearer ${token}`;
        const socket = await proxy.connect(alpn);
        let text = "";
        socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
        socket.write(
          alpn === "h2"
            ? Buffer.concat([http2Preface, encodeRequest({ fields: http2Fields(kind, [], authorization) })])
            : http1Text(kind, [], { authorization }),
        );
        // A session of HTTP/2 outlives its streams; this one's is reset.
        if (alpn !== "h2") await untilGone(socket);
        else while (!text.includes(resetOfStream1)) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(proxy.sent()).toHaveLength(1);
        expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
      });
    },
    () => ({ streams }),
  );
});

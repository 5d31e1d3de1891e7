/** Tokens, and headers, that cost more to look at than they are worth. */
import { eventually } from "../support/eventually";
import { untilGone } from "./fixture/answer";
import { attackWith, describeOnNodes, type AttackRow } from "./fixture/describe-attack";
import { encodeRequest, http2Preface } from "./fixture/raw-http2";
import { execByGet, get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";
import { minted } from "./fixture/token-rows";

/** Over HTTP/2 a block of more than 64 KiB never gets as far as the token. */
const rows: readonly AttackRow[] = [
  {
    ...minted("170 KB, signed by the issuer", { padding: "a".repeat(130_000) }),
    http2Outcome: "without effect",
  },
  {
    name: "300 KB of nothing",
    http1: [],
    http2: [],
    outcome: [401],
    http2Outcome: "without effect",
    authorization: () => `Bearer ${"a".repeat(300_000)}`,
  },
  {
    name: "100 KB of dots",
    http1: [],
    http2: [],
    outcome: [401],
    http2Outcome: "without effect",
    authorization: () => `Bearer ${".".repeat(100_000)}`,
  },
  {
    name: "600 KB, more than all headers may have",
    http1: [],
    http2: [],
    // 431; but a connection that is closed under 600 KB may be reset before the answer is read.
    outcome: "without effect",
    authorization: () => `Bearer ${"a".repeat(600_000)}`,
  },
];

// nghttp2 keeps such a session, deaf, until it is found idle or does not answer.
const shortlived = () => ({ limits: { lingerMs: 300, keepAliveTimeoutMs: 300 } });
describeOnNodes(
  "oversized tokens",
  (proxy) => {
    attackWith(proxy, rows);

    it("leave no watch behind that was there before", async () => {
      proxy.apiserver.handle = (_, response) => void response.writeHead(200).write("{}");
      const { authorization } = proxy.caller;
      const socket = await proxy.connect("h2");
      socket.write(
        Buffer.concat([http2Preface, encodeRequest({ fields: http2Fields(get, [], authorization) })]),
      );
      await eventually(() => proxy.sent().length === 1);
      socket.write(encodeRequest({ fields: http2Fields(get, [], `Bearer ${"a".repeat(300_000)}`) }, 3));
      await untilGone(socket);
    });
  },
  shortlived,
);

describeOnNodes("headers without end", (proxy) => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1`);

  it.each([
    ["GET", get],
    ["exec by GET", execByGet],
  ])("are refused beyond 512 lines, and counted to the last: %s", async (_, kind) => {
    const { authorization } = proxy.caller;
    const within = await sendBytes(proxy, http1Text(kind, many(500), { authorization }));
    expect(within.statuses).toEqual([kind.answeredWith]);
    const lines = [...many(3_000), "Impersonate-User: system:intruder"];
    const beyond = await sendBytes(proxy, http1Text(kind, lines, { authorization }));
    expect(beyond.statuses).toEqual([431]);
    expect(proxy.sent()).toHaveLength(1);
  });

  it("are refused in HTTP/2 as well", async () => {
    const fields = http2Fields(
      get,
      many(600).map((line) => line.toLowerCase().split(": ") as [string, string]),
      proxy.caller.authorization,
    );
    const { status } = await sendHttp2Request(proxy, { fields });
    expect([0, 431]).toContain(status);
    expect(proxy.sent()).toHaveLength(0);
  });
});

describeOnNodes(
  "headers that are few and large",
  (proxy) => {
    it("are refused beyond the bytes that they may have, in words that say so", async () => {
      const { authorization } = proxy.caller;
      const lines = [`X-Large: ${"a".repeat(20_000)}`];
      const { statuses, text } = await sendBytes(proxy, http1Text(get, lines, { authorization }));
      expect(statuses).toEqual([431]);
      expect(text).toContain("ERR_AUTH_PROXY_REQUEST_TOO_LARGE");
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ limits: { headerBytes: 16_384 } }),
);

/** Requests that begin as kubectl's own and are then bent: lines first, bytes afterwards. */
import { encodeRequest, http2Frame, type Field } from "../fixture/raw-http2";
import { execByGet, execByPost, get, http2Fields, type RequestKind } from "../fixture/requests";
import { mutateBytes, type Random } from "./random";

const somebody = "somebody-else";
const names = [
  "Impersonate-User",
  "Impersonate-Group",
  "Impersonate-Uid",
  "Impersonate-Extra-a",
  "Impersonate-Future",
  "Impersonate_User",
  "X-Remote-User",
  "X-Forwarded-User",
  "Authorization",
  "Connection",
  "Upgrade",
  "Transfer-Encoding",
  "Content-Length",
  "Expect",
  "Trailer",
  "TE",
  "Host",
  "Sec-WebSocket-Protocol",
  "Cookie",
];
const values = [
  somebody,
  "",
  "chunked",
  "0",
  "5",
  "upgrade, impersonate-user",
  "close, authorization",
  "websocket",
  "SPDY/3.1",
  "h2c",
  "100-continue",
  "Bearer x.y.z",
  "base64url.bearer.authorization.k8s.io.eA",
  "trailers",
  "identity, chunked",
];
const targets = [
  "/api",
  "//api",
  "/api/../x",
  "https://evil/api",
  "*",
  "/%00",
  "/a?b#c",
  "evil:443",
  "/api HTTP/1.1",
];

const anotherCase = (random: Random, text: string) =>
  [...text].map((letter) => (random.chance(2) ? letter.toUpperCase() : letter.toLowerCase())).join("");

function bendLines(random: Random, lines: readonly string[]): string[] {
  const bent = [...lines];
  for (let count = random.int(4); count > 0; count -= 1) {
    const at = random.int(bent.length + 1);
    const line = `${anotherCase(random, random.pick(names))}${random.pick([": ", ":", " : ", ":\t"])}${random.pick(values)}`;
    random.pick([
      () => bent.splice(at, 0, line),
      () => bent.splice(at, 0, line, line),
      () => bent.splice(at, 0, `${random.pick([" ", "\t"])}${line}`),
      () => bent.splice(at, 0, bent[random.int(bent.length)] ?? line),
      () => bent.splice(at, 1),
    ])();
  }
  return bent;
}

/** Bytes of one HTTP/1.1 connection. `authorization` is the caller's; the result may hold it bent, or not at all. */
export function bentHttp1(random: Random, authorization: string): Buffer {
  const request = (kind: RequestKind) => {
    const target = random.chance(6) ? random.pick(targets) : kind.target;
    const body = random.pick(["", "", "{}", "2\r\n{}\r\n0\r\n\r\n", "0\r\nImpersonate-User: x\r\n\r\n"]);
    const method = random.chance(8)
      ? random.pick(["PUT", "HEAD", "CONNECT", "OPTIONS", "TRACE", "get"])
      : kind.method;
    const lines = bendLines(random, ["Host: a", `Authorization: ${authorization}`, ...kind.lines]);
    const end = random.chance(10) ? "\n" : "\r\n";
    return Buffer.from([`${method} ${target} HTTP/1.1`, ...lines, "", body].join(end), "latin1");
  };
  const count = 1 + (random.chance(3) ? random.int(3) : 0);
  const all = Buffer.concat(
    Array.from({ length: count }, () =>
      request(random.pick([get, execByGet, execByPost, { ...get, method: "POST" }])),
    ),
  );
  return random.chance(2) ? mutateBytes(random, all) : all;
}

/** Frames of one HTTP/2 connection, behind its preface. */
export function bentHttp2(random: Random, authorization: string): Buffer {
  const request = (stream: number) => {
    const kind = random.pick([get, execByGet, execByPost]);
    const fields: Field[] = [...http2Fields(kind, [], authorization)];
    for (let count = random.int(4); count > 0; count -= 1) {
      const name = random.pick([
        ...names.map((text) => text.toLowerCase()),
        ...names,
        ":path",
        ":method",
        ":protocol",
      ]);
      fields.splice(random.int(fields.length + 1), random.int(2), [
        name,
        random.pick([...values, ...targets]),
      ]);
    }
    const data = random.chance(3) ? [random.bytes(random.int(64))] : [];
    return encodeRequest(
      { fields, data, ...(random.chance(6) ? { trailers: [["impersonate-user", somebody]] } : {}) },
      stream,
    );
  };
  const frames = Array.from({ length: 1 + random.int(3) }, (_, index) =>
    random.chance(4)
      ? http2Frame(random.int(12), random.int(256), random.int(8), random.bytes(random.int(64)))
      : request(2 * index + 1),
  );
  const all = Buffer.concat(frames);
  return random.chance(3) ? mutateBytes(random, all) : all;
}

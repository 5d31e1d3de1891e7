import fc from "fast-check";
import type { HeaderLines } from "../../../src/auth-proxy/header-lines";
import { impersonationHeaders } from "../../../src/auth-proxy/impersonation";
import { OutgoingHeaders } from "../../../src/auth-proxy/outgoing-headers";
import type { Identity } from "../../../src/identity/identity";

const identity: Identity = { username: "ci:a", groups: ["g1", "g2"], extra: {} };
const build = (lines: HeaderLines, more: object = {}) =>
  new OutgoingHeaders({
    lines,
    principal: { kind: "impersonated", identity },
    host: "k8s:443",
    hasBody: false,
    forwardHeaders: [],
    ...more,
  }).toRaw("Bearer own");
const failure = (code: string) => expect.objectContaining({ code });

describe("impersonation headers", () => {
  it("name the user, each group on its own line, uid and extras with escaped keys", () => {
    const extra = { "cluster-connect.dev/session": ["s", "t"], "Sümp%": ["x"] };
    expect(impersonationHeaders({ ...identity, uid: "7", extra })).toEqual([
      ["Impersonate-User", "ci:a"],
      ["Impersonate-Group", "g1"],
      ["Impersonate-Group", "g2"],
      ["Impersonate-Uid", "7"],
      ["Impersonate-Extra-cluster-connect.dev%2Fsession", "s"],
      ["Impersonate-Extra-cluster-connect.dev%2Fsession", "t"],
      ["Impersonate-Extra-s%C3%BCmp%25", "x"],
    ]);
  });

  it.each(["", " ", "\t", undefined, null])("are not made for the user name %p", (username) => {
    const nobody = { ...identity, username: username as string };
    expect(() => impersonationHeaders(nobody)).toThrow(failure("ERR_AUTH_PROXY_NO_IDENTITY"));
    expect(() => build([], { principal: { kind: "impersonated", identity: nobody } })).toThrow(
      failure("ERR_AUTH_PROXY_NO_IDENTITY"),
    );
  });

  it("are not made of a value that could end its line", () => {
    for (const broken of [
      { ...identity, username: "a\r\nb" },
      { ...identity, groups: ["a\nb"] },
      { ...identity, uid: "a\0b" },
      { ...identity, extra: { a: ["x\x7fy"] } },
    ]) {
      expect(() => impersonationHeaders(broken)).toThrow(failure("ERR_IDENTITY_INVALID"));
    }
  });
});

describe("outgoing headers", () => {
  it("are the host, the allowed lines, the identity, and the proxy's own credential", () => {
    expect(
      build([
        ["Accept", "a"],
        ["X-Other", "b"],
        ["accept", "c"],
        ["Host", "evil"],
      ]),
    ).toEqual([
      ...["Host", "k8s:443", "Accept", "a", "accept", "c"],
      ...["Impersonate-User", "ci:a", "Impersonate-Group", "g1", "Impersonate-Group", "g2"],
      ...["Authorization", "Bearer own"],
    ]);
  });

  it("carry a token that is passed through instead of the proxy's own, and impersonate nobody", () => {
    const principal = { kind: "passed-through", token: "t.o.k", claimedSubject: "", expiresAtMs: 0 };
    expect(build([["Accept", "a"]], { principal })).toEqual([
      ...["Host", "k8s:443", "Accept", "a", "Authorization", "Bearer t.o.k"],
    ]);
  });

  it("say how long a body is, or that it comes in chunks", () => {
    expect(build([["Content-Length", "5"]], { hasBody: true })).toContain("Content-Length");
    expect(build([], { hasBody: true }).join()).toContain("Transfer-Encoding,chunked");
    expect(build([]).join()).not.toContain("Transfer-Encoding");
  });

  it("write an upgrade anew, without extensions", () => {
    const raw = build(
      [
        ["Connection", "Upgrade, Impersonate-User, Accept"],
        ["Accept", "x"],
        ["Upgrade", "websocket"],
        ["Sec-WebSocket-Key", "k"],
        ["Sec-WebSocket-Extensions", "permessage-deflate"],
      ],
      { upgrade: { protocol: "websocket", subprotocols: ["v5.channel.k8s.io", "v4.channel.k8s.io"] } },
    );
    expect(raw.slice(2, 12)).toEqual([
      ...["Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13"],
      ...["Sec-WebSocket-Key", "k", "Sec-WebSocket-Protocol", "v5.channel.k8s.io, v4.channel.k8s.io"],
    ]);
  });

  it("never let anything of the caller's into a line that says who he is", () => {
    const names = fc.constantFrom(
      ...["Impersonate-User", "impersonate-group", "IMPERSONATE-UID", "Impersonate-Extra-a", "Authorization"],
      ...[
        "Connection",
        "X-Remote-User",
        "X-Forwarded-For",
        "Forwarded",
        "Host",
        "Accept",
        "Proxy-Authorization",
      ],
    );
    const values = fc.constantFrom("evil", "Impersonate-User", "close, Impersonate-Group", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, values)), (lines) => {
        const forwardHeaders = ["Impersonate-User", "X-Remote-User", "Authorization"];
        const raw = build(lines, { forwardHeaders });
        const pairs = raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1]]] : []));
        const of = (name: string) => pairs.filter(([key]) => key === name).map(([, value]) => value);
        expect(of("impersonate-user")).toEqual(["ci:a"]);
        expect(of("impersonate-group")).toEqual(["g1", "g2"]);
        expect(of("authorization")).toEqual(["Bearer own"]);
        expect(
          pairs.filter(([key]) => /^(impersonate-(uid|extra)|x-|forwarded|connection|proxy)/.test(key!)),
        ).toEqual([]);
      }),
    );
  });
});

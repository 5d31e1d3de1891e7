import { parseCredential } from "../../../src/auth-proxy/credential";
import type { HeaderLines } from "../../../src/auth-proxy/header-lines";

const bearer = (token: string) =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
const failure = (code: string) => expect.objectContaining({ code });

describe("credential", () => {
  it.each<[string, HeaderLines, string]>([
    ["a bearer token", [["Authorization", "Bearer a.b-c_d~e+f/g=="]], "a.b-c_d~e+f/g=="],
    ["in any case", [["AUTHORIZATION", "bEARER abc"]], "abc"],
    ["from the subprotocol", [["Sec-WebSocket-Protocol", `${bearer("a.b.c")}, v5.channel.k8s.io`]], "a.b.c"],
    [
      "from one of several lines",
      [
        ["Sec-WebSocket-Protocol", "v5.channel.k8s.io"],
        ["sec-websocket-protocol", bearer("abc")],
      ],
      "abc",
    ],
  ])("is read as %s", (_, lines, token) => {
    expect(parseCredential(lines)).toBe(token);
  });

  it.each<[string, HeaderLines]>([
    [
      "two headers",
      [
        ["Authorization", "Bearer a"],
        ["authorization", "Bearer a"],
      ],
    ],
    [
      "a header and a subprotocol",
      [
        ["Authorization", "Bearer a"],
        ["Sec-WebSocket-Protocol", bearer("a")],
      ],
    ],
    ["two subprotocols", [["Sec-WebSocket-Protocol", `${bearer("a")}, ${bearer("b")}`]]],
    [
      "a header that is none, beside a subprotocol",
      [
        ["Authorization", ""],
        ["Sec-WebSocket-Protocol", bearer("a")],
      ],
    ],
  ])("is refused as %s", (_, lines) => {
    expect(() => parseCredential(lines)).toThrow(failure("ERR_AUTH_PROXY_AMBIGUOUS_CREDENTIAL"));
  });

  it.each<[string, HeaderLines]>([
    ["Basic", [["Authorization", "Basic abc"]]],
    ["no token", [["Authorization", "Bearer"]]],
    ["two tokens", [["Authorization", "Bearer a b"]]],
    ["two values in one line", [["Authorization", "Bearer a, Bearer b"]]],
    ["an empty subprotocol", [["Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io."]]],
    ["a subprotocol that hides a line end", [["Sec-WebSocket-Protocol", bearer("a\r\nb")]]],
  ])("is missing with %s", (_, lines) => {
    expect(() => parseCredential(lines)).toThrow(failure("ERR_AUTH_PROXY_NO_CREDENTIAL"));
  });

  it("is undefined for a request that has none", () => {
    expect(
      parseCredential([
        ["Host", "a"],
        ["Sec-WebSocket-Protocol", "v5.channel.k8s.io"],
      ]),
    ).toBeUndefined();
  });
});

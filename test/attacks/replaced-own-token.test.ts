/** While the auth proxy's own token is replaced the apiserver refuses it: nobody may be asked for twice because of it, nor turned away. */
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { expectCallerAlone, ownToken } from "./fixture/invariant";
import { execByGet, execByPost, get, http1Text, sendBytes, type RequestKind } from "./fixture/requests";
import { answerReviews } from "./fixture/reviews";
import type { SentRequest } from "./fixture/upstream-bytes";

const refusal = "HTTP/1.1 401 -\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
const rowOfKinds: readonly (readonly [string, RequestKind, readonly string[]])[] = [
  ["GET", get, []],
  ["DELETE of no length", { ...get, method: "DELETE" }, ["Content-Length: 0"]],
  ["exec by GET", execByGet, []],
  ["exec by POST", execByPost, []],
];

describeOnNodes("the auth proxy's own token", (proxy) => {
  /** Refused is each token but the last; with `isReplacedAgain`, that one as well. */
  let count = 0;
  const replace = () => {
    count += 1;
    proxy.write("token", `${ownToken}-${count}`);
  };
  const isOld = (authorization: string | undefined) => authorization !== `Bearer ${ownToken}-${count}`;
  let isReplacedAgain = false;
  const refuse = (authorization: string | undefined) => {
    const isRefused = isReplacedAgain || isOld(authorization);
    if (isReplacedAgain) replace();
    return isRefused;
  };
  beforeAll(() => {
    const { handle, upgrade } = proxy.apiserver;
    proxy.apiserver.handle = (request, response) => {
      if (request.url !== "/version" && refuse(request.headers.authorization))
        return void request.socket.end(refusal);
      handle(request, response);
    };
    proxy.apiserver.upgrade = (request, socket, head) => {
      if (refuse(request.headers.authorization)) return void socket.resume().end(refusal);
      upgrade(request, socket, head);
    };
    // One of them, whatever follows it; all else is the caller's.
    proxy.expectRequest = (request: SentRequest) => {
      const lines = request.lines.map(([name, value]): [string, string] => [
        name,
        value.replace(new RegExp(`^(Bearer ${ownToken})-\\d+$`), "$1"),
      ]);
      expectCallerAlone({ ...request, lines }, proxy.caller);
    };
  });
  const send = ([, kind, lines]: (typeof rowOfKinds)[number]) =>
    sendBytes(proxy, http1Text(kind, lines, { authorization: proxy.caller.authorization }));

  it.each(rowOfKinds)("is read again when it is refused, and the caller is served: %s", async (...row) => {
    isReplacedAgain = false;
    replace();
    expect((await send(row)).statuses).toEqual([row[1].answeredWith]);
    expect(proxy.sent()).toHaveLength(2);
  });

  it.each(rowOfKinds)("is tried no third time, however often it is replaced: %s", async (...row) => {
    isReplacedAgain = true;
    replace();
    const { statuses, text } = await send(row);
    expect(statuses).toEqual([503]);
    expect(text).toContain("ERR_APISERVER_REFUSED_PROXY");
    expect(proxy.sent()).toHaveLength(2);
  });

  it.each([
    ["exec by GET", execByGet],
    ["exec by POST", execByPost],
  ])("is refused at no length: what goes on behind the head is not waited for: %s", async (_, kind) => {
    const { upgrade } = proxy.apiserver;
    let upstream: Socket | undefined;
    proxy.apiserver.upgrade = (__, socket) => {
      upstream = socket.on("error", () => undefined).resume();
      socket.write("HTTP/1.1 401 -\r\nContent-Length: 100\r\n\r\n{");
    };
    const { statuses } = await sendBytes(
      proxy,
      http1Text(kind, [], { authorization: proxy.caller.authorization }),
    );
    proxy.apiserver.upgrade = upgrade;
    expect(statuses).toEqual([503]);
    await eventually(() => upstream!.destroyed || upstream!.readableEnded);
    upstream!.destroy();
  });
});

describeOnNodes(
  "the auth proxy's own token, in a question about the caller",
  (proxy) => {
    const reviews = answerReviews(proxy);
    let answer: (authorization: string | undefined) => string | undefined = () => undefined;
    beforeAll(() => {
      const { handle } = proxy.apiserver;
      proxy.apiserver.handle = (request, response) => {
        const text = request.url === "/version" ? undefined : answer(request.headers.authorization);
        if (text === undefined) return handle(request, response);
        request.resume().once("end", () => request.socket.end(text));
      };
    });
    const send = () =>
      sendBytes(
        proxy,
        http1Text(get, ["Impersonate-User: alice"], { authorization: proxy.caller.authorization }),
      );

    it("is tried once when it is refused and still the same", async () => {
      answer = () => refusal;
      expect((await send()).statuses).toEqual([503]);
      expect(proxy.reviews()).toHaveLength(1);
    });

    it("is not the reason to ask again after a no", async () => {
      answer = () => undefined;
      let asked = 0;
      // What has been refused is not granted by asking again.
      reviews.decide = () => ({ allowed: ++asked > 1 });
      proxy.write("token", `${ownToken}-after-a-no`);
      expect((await send()).statuses).toEqual([403]);
      expect(proxy.reviews()).toHaveLength(1);
    });

    it("is read again when it is refused, and the question asked anew", async () => {
      answer = (authorization) => (authorization?.endsWith("-anew") === true ? undefined : refusal);
      reviews.decide = () => ({ allowed: false });
      proxy.write("token", `${ownToken}-anew`);
      expect((await send()).statuses).toEqual([403]);
      expect(proxy.reviews()).toHaveLength(2);
    });

    it.each([
      ["with a connection that is cut", ""],
      ["with what is no JSON", "HTTP/1.1 201 -\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{]"],
      ["with null", "HTTP/1.1 201 -\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnull"],
    ])("grants nothing when it is answered %s", async (_, text) => {
      answer = () => text;
      const { statuses, text: refused } = await send();
      expect([403, 502, 503]).toContain(statuses[0]);
      expect(refused).toContain('"kind":"Status"');
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ impersonation: { nested: true } }),
);

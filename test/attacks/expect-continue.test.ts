/** `Expect` makes a server answer before the request is over; only one that is let in may be told to go on. */
import { eventually } from "../support/eventually";
import { describeAttack, describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Preface } from "./fixture/raw-http2";
import { http1Text, http2Fields, sendBytes, sendHttp2Request, get } from "./fixture/requests";

describeAttack("Expect", [
  {
    name: "100-continue without a body",
    http1: ["Expect: 100-continue"],
    http2: [["expect", "100-continue"]],
    outcome: "as the caller",
  },
  {
    name: "something that nobody knows",
    http1: ["Expect: impersonate-user"],
    http2: [["expect", "impersonate-user"]],
    outcome: "as the caller",
  },
  {
    name: "100-continue with an identity",
    http1: ["Expect: 100-continue", "Impersonate-User: system:intruder"],
    http2: [
      ["expect", "100-continue"],
      ["impersonate-user", "system:intruder"],
    ],
    outcome: [403],
  },
]);

describeOnNodes("Expect with a body", (proxy) => {
  const post = { ...get, method: "POST" as const };
  const withBody = ["Expect: 100-continue", "Content-Length: 2"];

  it("is told to go on once the caller is known, and Expect stays here", async () => {
    const { authorization } = proxy.caller;
    const bytes = Buffer.concat([http1Text(post, withBody, { authorization }), Buffer.from("{}")]);
    const { text, statuses } = await sendBytes(proxy, bytes);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(statuses).toEqual([200]);
    expect(proxy.sent().map(({ body }) => body.toString())).toEqual(["{}"]);
  });

  it("is told to go on over HTTP/2, too, and waits for it", async () => {
    const socket = await proxy.connect("h2");
    const fields = http2Fields(post, [["expect", "100-continue"]], proxy.caller.authorization);
    const [data, whole] = [Buffer.from("{}"), encodeRequest({ fields, data: [Buffer.from("{}")] })];
    const head = whole.subarray(0, whole.length - 9 - data.length);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.write(Buffer.concat([http2Preface, head]));
    // A HEADERS frame that says 100 and is not the end.
    const hasHead = () => text.includes("\u0001\u0004\0\0\0\u0001");
    await eventually(hasHead);
    text = "";
    socket.write(whole.subarray(head.length));
    await eventually(hasHead);
    expect(proxy.sent().map(({ body }) => body.toString())).toEqual(["{}"]);
  });

  it.each([
    ["without a token", undefined, 401],
    ["with one that is none", "Bearer x.y.z", 401],
  ])("is not told to go on %s", async (_, authorization, status) => {
    const { text, statuses } = await sendBytes(proxy, http1Text(post, withBody, { authorization }));
    expect(text).not.toContain("100 Continue");
    expect(statuses).toEqual([status]);
    const fields = http2Fields(post, [["expect", "100-continue"]], authorization);
    expect((await sendHttp2Request(proxy, { fields, data: [Buffer.from("{}")] })).status).toBe(status);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("does not make a body out of the request behind it", async () => {
    const { authorization } = proxy.caller;
    const hidden = http1Text(get, ["Impersonate-User: system:intruder"], { authorization: "Bearer x" });
    const head = http1Text(post, ["Expect: 100-continue", `Content-Length: ${hidden.length}`], {
      authorization,
    });
    const { statuses } = await sendBytes(proxy, Buffer.concat([head, hidden]));
    expect(statuses).toEqual([200]);
    expect(proxy.sent().map(({ body }) => body.equals(hidden))).toEqual([true]);
  });
});

/** A refusal is one caller's, once: whatever stands between must neither keep it nor take what follows for a part of it. */
import { describeOnNodes } from "./fixture/describe-attack";
import { http1Text, kinds, sendBytes } from "./fixture/requests";

describeOnNodes("refusals", (proxy) => {
  it.each(kinds)("say what they are, how long, and that they are not to be kept: %s", async (_, kind) => {
    const refused = http1Text(kind, [], { authorization: "Bearer x.y.z" });
    const { text, statuses } = await sendBytes(proxy, refused);
    expect(statuses).toEqual([401]);
    const [head = "", body = ""] = text.split("\r\n\r\n");
    const lines = head.toLowerCase().split("\r\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "content-type: application/json",
        "cache-control: no-cache, private",
        `content-length: ${Buffer.byteLength(body)}`,
      ]),
    );
    expect(JSON.parse(body)).toMatchObject({ kind: "Status", status: "Failure", code: 401 });
    expect(proxy.sent()).toHaveLength(0);
  });
});

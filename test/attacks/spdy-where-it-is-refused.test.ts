/** Where SPDY is turned off, since kubectl takes its loss for success: nobody gets it by another spelling. */
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, execByPost, http1Text, sendBytes } from "./fixture/requests";

describeOnNodes(
  "SPDY where it is turned off",
  (proxy) => {
    const written = (upgrade: string) =>
      execByPost.lines.map((line) => (line.startsWith("Upgrade:") ? `Upgrade: ${upgrade}` : line));

    it.each(["SPDY/3.1", "spdy/3.1", "SPDY/3.1,", "SPDY/3.1, websocket", "SPDY/3", "SPDY/4"])(
      "is refused as %s",
      async (upgrade) => {
        for (const method of ["POST", "GET"] as const) {
          const kind = { ...execByPost, method, lines: written(upgrade) };
          const { authorization } = proxy.caller;
          const { statuses } = await sendBytes(proxy, http1Text(kind, [], { authorization }));
          expect([[400], [403]]).toContainEqual(statuses);
        }
        expect(proxy.sent()).toHaveLength(0);
      },
    );

    it("leaves WebSockets as they are", async () => {
      const { authorization } = proxy.caller;
      const { statuses } = await sendBytes(proxy, http1Text(execByGet, [], { authorization }));
      expect(statuses).toEqual([execByGet.answeredWith]);
      expect(proxy.sent()).toHaveLength(1);
    });
  },
  () => ({ upgrades: { spdy: "refuse" } }),
);

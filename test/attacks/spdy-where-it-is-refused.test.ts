/** Where SPDY is turned off, since kubectl takes its loss for success: nobody gets it by another spelling. */
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, execByPost, http1Text, sendBytes } from "./fixture/requests";

describeOnNodes(
  "SPDY where it is turned off",
  (proxy) => {
    const written = (upgrade: string) =>
      execByPost.lines.map((line) => (line.startsWith("Upgrade:") ? `Upgrade: ${upgrade}` : line));

    it.each([
      ["SPDY/3.1", 403],
      ["spdy/3.1", 403],
      ["SPDY/3.1,", 403],
      ["SPDY/3.1, websocket", 400],
      ["SPDY/3", 400],
      ["SPDY/4", 400],
    ])("is refused as %s", async (upgrade, status) => {
      for (const method of ["POST", "GET"] as const) {
        const kind = { ...execByPost, method, lines: written(upgrade) };
        const { authorization } = proxy.caller;
        expect((await sendBytes(proxy, http1Text(kind, [], { authorization }))).statuses).toEqual([status]);
      }
      expect(proxy.sent()).toHaveLength(0);
    });

    it("leaves WebSockets as they are", async () => {
      const { authorization } = proxy.caller;
      const { statuses } = await sendBytes(proxy, http1Text(execByGet, [], { authorization }));
      expect(statuses).toEqual([execByGet.answeredWith]);
      expect(proxy.sent()).toHaveLength(1);
    });
  },
  () => ({ upgrades: { spdy: "refuse" } }),
);

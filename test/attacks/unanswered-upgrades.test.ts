/** Upgrades that are given up, by their caller or for want of an answer, one after the other: upstream none may stay. */
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, execByPost, http1Text, sendBytes } from "./fixture/requests";

describeOnNodes(
  "upgrades that are never answered",
  (proxy) => {
    let upstream: Socket[] = [];
    beforeEach(() => {
      upstream = [];
      // Half open, so that it does not end only because its client has.
      proxy.apiserver.upgrade = (_, socket) =>
        void upstream.push(socket.on("error", () => undefined).resume());
    });
    const expectGone = async () => {
      await eventually(() => upstream.every((socket) => socket.destroyed || socket.readableEnded));
      for (const socket of upstream) socket.destroy();
    };

    it.each([
      ["exec by GET", execByGet],
      ["exec by POST", execByPost],
    ])("are gone upstream once the caller has been told: %s", async (_, kind) => {
      const { authorization } = proxy.caller;
      for (let count = 1; count <= 3; count += 1) {
        const { statuses } = await sendBytes(proxy, http1Text(kind, [], { authorization }));
        expect(statuses).toEqual([502]);
      }
      expect(upstream).toHaveLength(3);
      await expectGone();
    });

    it.each([
      ["exec by GET", execByGet],
      ["exec by POST", execByPost],
    ])("are gone upstream once the caller has: %s", async (_, kind) => {
      const socket = await proxy.connect();
      socket.write(http1Text(kind, [], { authorization: proxy.caller.authorization }));
      await eventually(() => upstream.length === 1);
      socket.destroy();
      await expectGone();
    });
  },
  () => ({ limits: { lingerMs: 300, upgradeAnswerTimeoutMs: 300 } }),
);

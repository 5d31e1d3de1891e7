/** Callers who give up single streams of a session that goes on, as many as they like: nothing is kept going for them upstream. */
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Frame, http2Preface } from "./fixture/raw-http2";
import { get, http2Fields } from "./fixture/requests";
import { answerReviews } from "./fixture/reviews";

const cancel = (stream: number) => http2Frame(3, 0, stream, Buffer.from([0, 0, 0, 8]));

describeOnNodes(
  "a stream that is reset",
  (proxy) => {
    const reviews = answerReviews(proxy);
    let held: Socket[] = [];
    let release: (() => void) | undefined;
    let isReviewHeld = false;
    beforeAll(() => {
      const { handle } = proxy.apiserver;
      proxy.apiserver.handle = (request, response) => {
        if (request.method === "POST") {
          if (!isReviewHeld) return handle(request, response);
          release = () => handle(request, response);
          return;
        }
        if (request.url !== "/held") return handle(request, response);
        held.push(request.socket);
        response.writeHead(200).write("{}");
      };
    });
    beforeEach(() => {
      [held, release, isReviewHeld] = [[], undefined, false];
    });

    it("is over upstream, while its session goes on", async () => {
      const socket = (await proxy.connect("h2")).resume();
      const fields = http2Fields({ ...get, target: "/held" }, [], proxy.caller.authorization);
      socket.write(http2Preface);
      for (const [index, stream] of [1, 3, 5].entries()) {
        socket.write(encodeRequest({ fields }, stream));
        await eventually(() => held.length === index + 1);
        socket.write(cancel(stream));
        await eventually(() => held[index]!.destroyed || held[index]!.readableEnded);
      }
      expect(socket.destroyed || socket.readableEnded).toBe(false);
    });

    it.each([
      ["may", true],
      ["may not", false],
    ])("is abandoned while it is asked what its caller may do, also when he %s", async (_, allowed) => {
      isReviewHeld = true;
      reviews.decide = () => ({ allowed });
      const socket = (await proxy.connect("h2")).resume();
      const fields = http2Fields(
        { ...get, target: "/held" },
        [["impersonate-user", "alice"]],
        proxy.caller.authorization,
      );
      const audited = () =>
        proxy.process
          .output()
          .split("\n")
          .filter((line) => line.includes('"request"') && line.includes(proxy.caller.user));
      socket.write(Buffer.concat([http2Preface, encodeRequest({ fields })]));
      await eventually(() => release !== undefined);
      // The answer to a PING says that the frame before it has been taken.
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.write(Buffer.concat([cancel(1), http2Frame(6, 0, 0, Buffer.from("attacked"))]));
      await eventually(() => text.includes("attacked"));
      release!();
      await eventually(() => audited().length === 1);
      expect(audited()[0]).toContain('"abandoned":true');
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ impersonation: { nested: true } }),
);

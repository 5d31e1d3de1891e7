/** Mutated handshakes and frames to relay and agent, and through the decoder itself. */
import { decodeMessage } from "../../src/protocol/decode";
import { defaultWireLimits } from "../../src/protocol/limits";
import { RecordingReceiver } from "../unit/protocol/recording-receiver";
import { describeAgentOnNodes, hello } from "./fixture/attacked-agent";
import { describeRelayOnNodes } from "./fixture/attacked-relay";
import { bentHandshake, bentTunnelMessage, bentWebSocketFrames } from "./fuzz/frame-mutations";
import { fuzzTimeoutMs, runRounds } from "./fuzz/rounds";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describeRelayOnNodes(
  "mutated frames at the relay",
  (relay) => {
    it(
      "let nobody in by a handshake without a right",
      () =>
        runRounds({ few: 5, share: 1 / 16 }, async (random) => {
          const handshakes = Array.from({ length: 12 }, () =>
            bentHandshake(random, relay.sas("plant-8", "send")),
          );
          const answers = await Promise.all(
            handshakes.map(async (bytes) => {
              const socket = await relay.connect();
              let text = "";
              socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1"))).write(bytes);
              await Promise.race([new Promise((resolve) => socket.once("close", resolve)), pause(100)]);
              return text;
            }),
          );
          expect(answers.filter((text) => text.startsWith("HTTP/1.1 101"))).toEqual([]);
          await relay.check();
        }),
      fuzzTimeoutMs,
    );

    it(
      "cost those who send them their own connection alone",
      () =>
        runRounds({ few: 5, share: 1 / 16 }, async (random) => {
          const { sender, leg, listener } = await relay.joined();
          for (const raw of [sender, leg, listener]) {
            raw.socket.on("error", () => undefined);
            for (let count = random.int(4); count > 0; count -= 1)
              raw.socket.write(bentWebSocketFrames(random));
          }
          await pause(20);
          await relay.check();
        }),
      fuzzTimeoutMs,
    );
  },
  { timers: { headersMs: 300, closeMs: 200, turnAwayMs: 100, parkedMs: 300 } },
);

describeAgentOnNodes("mutated frames at the agent", (agent) => {
  it(
    "reach nothing but the target, and end with their session",
    () =>
      runRounds({ few: 12, share: 1 / 10 }, async (random) => {
        const legs = await Promise.all([agent.leg(), agent.leg()]);
        for (const leg of legs) {
          leg.on("error", () => undefined);
          if (!random.chance(4)) leg.send(hello());
          for (let count = 1 + random.int(6); count > 0; count -= 1) leg.send(bentTunnelMessage(random));
        }
        await pause(10);
        for (const leg of legs) leg.terminate();
        await agent.check();
      }),
    fuzzTimeoutMs,
  );
});

describe("mutated frames in the decoder", () => {
  it(
    "are read or refused, never thrown at",
    () =>
      runRounds({ few: 20, share: 1 / 25 }, async (random) => {
        for (let count = 0; count < 500; count += 1) {
          decodeMessage(bentTunnelMessage(random), defaultWireLimits, new RecordingReceiver());
        }
      }),
    fuzzTimeoutMs,
  );
});

/** Mutated requests to the auth proxy, over both protocols: whoever they name, they run as the token's caller. */
import { exchangeBytes } from "./fixture/answer";
import { describeOnNodes } from "./fixture/describe-attack";
import { sendHttp2 } from "./fixture/raw-http2";
import { bentHttp1, bentHttp2 } from "./fuzz/request-mutations";
import { fuzzTimeoutMs, runRounds } from "./fuzz/rounds";

const atOnce = 8;
const timeoutMs = 150;

describeOnNodes(
  "mutated requests",
  (proxy) => {
    it.each([["HTTP/1.1", "http/1.1", bentHttp1] as const, ["HTTP/2", "h2", bentHttp2] as const])(
      "run as the caller, or not at all: %s",
      (_, alpn, bend) =>
        runRounds({ few: 12, share: 1 / 8 }, async (random) => {
          const sent = Array.from({ length: atOnce }, () => bend(random, proxy.caller.authorization));
          await Promise.all(
            sent.map(async (bytes) => {
              const socket = await proxy.connect(alpn);
              const answer =
                alpn === "h2"
                  ? (await sendHttp2(socket, bytes, timeoutMs)).body
                  : (await exchangeBytes(socket, bytes, { answers: 4, timeoutMs })).text;
              proxy.answers.push(answer);
            }),
          );
          try {
            const spliced = proxy.sent().filter((request) => request.spliced.length > 0);
            expect(spliced.map(({ target }) => target)).toEqual([]);
            await proxy.check();
          } catch (error) {
            console.error(sent.map((bytes) => bytes.toString("base64")).join("\n"));
            throw error;
          }
        }),
      fuzzTimeoutMs,
    );
  },
  () => ({ limits: { lingerMs: 200, uploadDrainMs: 200, keepAliveTimeoutMs: 300 } }),
);

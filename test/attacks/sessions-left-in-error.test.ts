/** Callers who break HTTP/2's rules behind a good request, and leave on its answer: their sessions must not be kept. */
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, sendHttp2, type Field } from "./fixture/raw-http2";
import { execByGet, get, http2Fields } from "./fixture/requests";

describeOnNodes(
  "sessions that are left in error",
  (proxy) => {
    const base = () => http2Fields(get, [], proxy.caller.authorization);

    it.each([
      ["a name in capitals", (): Field[] => [...base(), ["Accept", "x"]]],
      ["no scheme", (): Field[] => base().filter(([name]) => name !== ":scheme")],
      ["two methods", (): Field[] => [[":method", "GET"], ...base()]],
    ])("are dropped, however the answer and the end meet: %s", async (_, malformed) => {
      const good = http2Fields(execByGet, [], proxy.caller.authorization);
      const requests = [
        encodeRequest({ fields: good, data: [Buffer.alloc(34)] }, 1),
        encodeRequest({ fields: good }, 3),
        encodeRequest({ fields: malformed() }, 5),
      ];
      // Which of them a mistaken proxy keeps is a matter of microseconds.
      for (let count = 0; count < 32; count += 1) {
        const sockets = await Promise.all(Array.from({ length: 4 }, () => proxy.connect("h2")));
        await Promise.all(sockets.map((socket) => sendHttp2(socket, Buffer.concat(requests), 1_000)));
      }
      // The rest is the invariant's: no socket is left.
    });
  },
  () => ({ limits: { lingerMs: 200, keepAliveTimeoutMs: 300 } }),
);

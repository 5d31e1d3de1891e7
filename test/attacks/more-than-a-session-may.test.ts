/** What one HTTP/2 session may hold at once is said at its start, and held: whoever goes beyond it is refused. */
import { once } from "node:events";
import { connect, type Settings } from "node:http2";
import { describeOnNodes } from "./fixture/describe-attack";

describeOnNodes(
  "a session that wants more than it may",
  (proxy) => {
    it("is told how many streams, bytes ahead and headers, and gets no stream more", async () => {
      proxy.apiserver.handle = (_, response) => void response.writeHead(200).write("{}\n");
      const socket = await proxy.connect("h2");
      const client = connect("https://a", { createConnection: () => socket }).on("error", () => undefined);
      const [settings] = (await once(client, "remoteSettings")) as [Settings];
      expect(settings).toMatchObject({
        maxConcurrentStreams: 3,
        initialWindowSize: 70_000,
        maxHeaderListSize: 20_000,
      });
      const { authorization } = proxy.caller;
      const open = () => client.request({ ":path": "/api/v1/pods?watch=true", authorization });
      await Promise.all([open(), open(), open()].map((stream) => once(stream, "response")));
      const fourth = open();
      let isAnswered = false;
      fourth.once("response", () => (isAnswered = true));
      await new Promise<void>((resolve) => client.ping(() => resolve()));
      expect([isAnswered, proxy.sent().length]).toEqual([false, 3]);
      client.destroy();
    });
  },
  () => ({ limits: { http2Streams: 3, http2StreamWindowBytes: 70_000, http2HeaderBytes: 20_000 } }),
);

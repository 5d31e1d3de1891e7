/** Callers who leave without a word: what they have asked for must not be kept going for nobody. */
import { EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Preface } from "./fixture/raw-http2";
import { execByGet, get, http1Text, http2Fields } from "./fixture/requests";

describeOnNodes("requests whose caller has gone", (proxy) => {
  const watch = "/api/v1/pods?watch=true";
  const watched = new EventEmitter();
  let upstream: Socket | undefined;
  beforeEach(() => {
    const { handle } = proxy.apiserver;
    proxy.apiserver.handle = (request, response) => {
      if (request.url !== watch) return handle(request, response);
      upstream = request.socket;
      response.writeHead(200, { "Content-Type": "application/json" }).write("{}\n");
      watched.emit("begun");
    };
    proxy.apiserver.upgrade = (_, socket) => {
      // As the apiserver does: it ends once its client has.
      upstream = socket.resume().once("end", () => socket.end());
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    };
  });

  const begin = {
    "a watch over HTTP/1.1": async () => {
      const socket = await proxy.connect();
      const { authorization } = proxy.caller;
      socket.write(http1Text({ ...get, target: watch }, [], { authorization }));
      await once(socket, "data");
      return socket;
    },
    "a watch over HTTP/2": async () => {
      const socket = await proxy.connect("h2");
      const fields = http2Fields({ ...get, target: watch }, [], proxy.caller.authorization);
      socket.write(Buffer.concat([http2Preface, encodeRequest({ fields })]));
      await once(watched, "begun");
      return socket.resume();
    },
    "an idle session over HTTP/2": async () => {
      const socket = await proxy.connect("h2");
      socket.write(http2Preface);
      await once(socket, "data");
      return socket;
    },
    "a connection whose handshake is barely done": () => proxy.connect("h2"),
    "an exec": async () => {
      const socket = await proxy.connect();
      socket.write(http1Text(execByGet, [], { authorization: proxy.caller.authorization }));
      await once(socket, "data");
      return socket;
    },
  };

  describe.each(Object.entries(begin))("%s", (_, start) => {
    it.each([
      ["drops its connection", (socket: Socket) => socket.destroy()],
      ["ends its connection and waits", (socket: Socket) => socket.end()],
    ])("is over, upstream too, when its caller %s", async (__, leave) => {
      upstream = undefined;
      const socket = await start();
      leave(socket);
      await eventually(() => upstream === undefined || upstream.destroyed || upstream.readableEnded);
      // The rest is the invariant's: no socket is left.
    });
  });
});

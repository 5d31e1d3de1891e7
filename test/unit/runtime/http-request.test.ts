import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { sendHttpRequest } from "../../../src/runtime/http-request";

async function withServer(listener: RequestListener, use: (url: URL) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path`));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("HTTP request", () => {
  it("returns any status as an answer", () =>
    withServer(
      (_, response) => response.writeHead(403, { "X-Why": "no" }).end("refused"),
      async (url) => {
        const response = await sendHttpRequest({ url, method: "POST", body: "{}" });
        expect(response).toMatchObject({ status: 403, body: "refused" });
        expect(response.headers["x-why"]).toBe("no");
      },
    ));

  it.each(["GET", "POST"])("announces the body that it sends with %s", (method) =>
    withServer(
      (request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => response.end(`${String(request.headers["content-length"])} ${body}`));
      },
      async (url) => {
        expect((await sendHttpRequest({ url, method, body: '{"ä":1}' })).body).toBe('8 {"ä":1}');
      },
    ),
  );

  it("fails when the answer exceeds its bound", () =>
    withServer(
      (_, response) => response.end("x".repeat(100)),
      async (url) => {
        await expect(sendHttpRequest({ url, maxBytes: 99 })).rejects.toMatchObject({
          code: "ERR_HTTP_FAILED",
          message: expect.stringContaining("exceeds 99 bytes") as string,
        });
      },
    ));

  it("fails when no answer comes in time", () =>
    withServer(
      () => undefined,
      async (url) => {
        await expect(sendHttpRequest({ url, timeoutMs: 30 })).rejects.toThrow("no answer within 30 ms");
      },
    ));

  it("fails when the connection is cut in the middle of the answer", () =>
    withServer(
      (_, response) => {
        response.writeHead(200, { "Content-Length": "10" });
        response.write("half", () => response.destroy());
      },
      async (url) => {
        await expect(sendHttpRequest({ url })).rejects.toMatchObject({ code: "ERR_HTTP_FAILED" });
      },
    ));

  it("ends when its caller gives up", () =>
    withServer(
      () => undefined,
      async (url) => {
        const giveUp = new AbortController();
        const request = sendHttpRequest({ url, signal: giveUp.signal });
        giveUp.abort();
        await expect(request).rejects.toMatchObject({ code: "ERR_HTTP_FAILED" });
      },
    ));
});

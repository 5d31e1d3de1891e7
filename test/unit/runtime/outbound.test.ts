import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { sendHttpRequest } from "../../../src/runtime/http-request";
import { createTestCertificate } from "../../support/certificate";
import { startConnectProxy, type ConnectProxy } from "../../support/connect-proxy";

describe("outbound requests", () => {
  const server = createServer((_, response) => response.end("here"));
  let proxy: ConnectProxy;
  let url: URL;

  beforeAll(async () => {
    proxy = await startConnectProxy();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterEach(() => {
    delete process.env["http_proxy"];
    delete process.env["https_proxy"];
    delete process.env["no_proxy"];
    proxy.tunnels.length = 0;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await proxy.close();
  });

  it("go through the proxy that the environment names, with its credentials", async () => {
    process.env["http_proxy"] = proxy.url;
    expect((await sendHttpRequest({ url })).body).toBe("here");
    expect(proxy.tunnels).toEqual([
      { target: url.host, authorization: `Basic ${Buffer.from("user:pass").toString("base64")}` },
    ]);
  });

  it("go straight to hosts that NO_PROXY names", async () => {
    process.env["http_proxy"] = proxy.url;
    process.env["no_proxy"] = "127.0.0.1";
    expect((await sendHttpRequest({ url })).body).toBe("here");
    expect(proxy.tunnels).toEqual([]);
  });

  it.each([
    ["407 Proxy Authentication Required", "ERR_OUTBOUND_PROXY_REFUSED"],
    ["403 Forbidden", "ERR_OUTBOUND_PROXY_REFUSED"],
    ["503 Service Unavailable", "ERR_OUTBOUND_PROXY_FAILED"],
  ])("tell the proxy's %s as the proxy's, and not the destination's", async (status, code) => {
    const strict = await startConnectProxy();
    strict.refuseWith(status);
    process.env["http_proxy"] = strict.url;
    const failure = sendHttpRequest({ url });
    await expect(failure).rejects.toMatchObject({ code, detail: `${new URL(strict.url).host}: ${status}` });
    await strict.close();
  });

  it("name a proxy that is not there, without its password", async () => {
    const gone = await startConnectProxy();
    await gone.close();
    process.env["http_proxy"] = gone.url;
    const failure = await sendHttpRequest({ url }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ERR_OUTBOUND_PROXY_FAILED" });
    expect(String(failure)).toContain(new URL(gone.url).host);
    expect(String(failure)).not.toContain("pass@");
  });

  it.each([
    ["127.0.0.1", "200 secure"],
    ["localhost", "ERR_HTTP_FAILED"],
  ])("check that a destination named by its address has a certificate for it: %s", async (name, wanted) => {
    const { certPem, keyPem, caPem } = await createTestCertificate([], [name]);
    const secure = createSecureServer({ cert: certPem, key: keyPem }, (_, response) =>
      response.end("secure"),
    );
    await once(secure.listen(0, "127.0.0.1"), "listening");
    process.env["https_proxy"] = proxy.url;
    const secureUrl = new URL(`https://127.0.0.1:${(secure.address() as AddressInfo).port}/`);
    const answer = await sendHttpRequest({ url: secureUrl, caPem }).then(
      ({ status, body }) => `${status} ${body}`,
      ({ code }: { code: string }) => code,
    );
    secure.closeAllConnections();
    secure.close();
    expect([answer, proxy.tunnels.length]).toEqual([wanted, 1]);
  });
});

/** Service-account token mode: a token of the cluster's own goes upstream as it is, and nothing of the proxy's with it. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http2";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import WebSocket from "ws";
import type { RecordedRequest } from "../support/recording-apiserver";
import { startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";
import { createTestCertificate } from "../support/certificate";
import { acceptWebSocket, execPath } from "../support/exec-frames";
import { startIssuer, type TestIssuer } from "../support/issuer";

const cluster = "https://kubernetes.default.svc.cluster.local";
const subject = "system:serviceaccount:ci:deployer";

describe("pass-through", () => {
  let harness: AuthProxyHarness;
  let signer: TestIssuer;
  let token: string;
  beforeAll(async () => {
    harness = await startAuthProxyHarness({ passThrough: { issuer: cluster } });
    signer = await startIssuer();
    token = await signer.mint({}, { issuer: cluster, audience: [cluster], subject });
  });
  afterAll(async () => {
    await Promise.all([harness.close(), signer.close()]);
  });
  const names = ({ headers }: RecordedRequest) => headers.map(([name]) => name.toLowerCase());
  const impersonating = (request: RecordedRequest) =>
    names(request).filter((name) => name.startsWith("impersonate"));
  const last = () => harness.apiserver.requests.at(-1)!;
  afterEach(() => {
    // The invariant: the proxy's own credential never goes out without a named user, nor a user without it.
    for (const request of harness.apiserver.requests) {
      const credentials = request.values("authorization");
      if (credentials.length === 0) expect(request.target).toBe("/version");
      else if (credentials[0] === "Bearer own-token-1") {
        expect(request.values("impersonate-user")).toEqual([expect.stringMatching(/^github:./)]);
      } else {
        expect(credentials).toEqual([expect.stringMatching(/^Bearer eyJ/)]);
        expect(impersonating(request)).toEqual([]);
      }
    }
  });

  it("sends the caller's token and impersonates nobody, over HTTP/1.1", async () => {
    const answer = await harness.fetch({
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: "{}",
    });
    expect(answer.status).toBe(200);
    expect(last().values("authorization")).toEqual([`Bearer ${token}`]);
    expect(impersonating(last())).toEqual([]);
    expect(await harness.logged("request", { claimedSubject: subject })).toMatchObject({
      user: "",
      status: 200,
    });
  });

  it("does so over HTTP/2", async () => {
    const session = await harness.http2();
    const stream = session.request({ ":path": "/api", authorization: `Bearer ${token}` });
    stream.resume();
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(answer[":status"]).toBe(200);
    expect(last().values("authorization")).toEqual([`Bearer ${token}`]);
    session.close();
  });

  it("does so for an exec whose token came as a subprotocol, which stays here", async () => {
    harness.apiserver.upgrade = (request, socket) => acceptWebSocket(request, socket, "v5.channel.k8s.io");
    const bearer = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
    const socket = await harness.connect();
    const client = new WebSocket(`wss://plant-7${execPath}`, [bearer, "v5.channel.k8s.io"], {
      createConnection: () => socket,
    });
    client.on("error", () => undefined);
    await once(client, "open");
    expect(last().values("authorization")).toEqual([`Bearer ${token}`]);
    expect(last().values("sec-websocket-protocol")).toEqual(["v5.channel.k8s.io"]);
    expect(impersonating(last())).toEqual([]);
    client.terminate();
  });

  it("uses one connection for both kinds of request, and mixes nothing", async () => {
    const before = harness.apiserver.connections;
    for (let i = 0; i < 3; i += 1) {
      await harness.fetch({ headers: { Authorization: `Bearer ${token}` } });
      expect(last().values("authorization")).toEqual([`Bearer ${token}`]);
      await harness.fetch({});
      expect(last().values("authorization")).toEqual(["Bearer own-token-1"]);
      expect(last().values("impersonate-user")).toHaveLength(1);
    }
    expect(harness.apiserver.connections).toBeLessThanOrEqual(before + 1);
  });

  it("lets the apiserver's 401 stand: it is the caller's, and says nothing of the proxy", async () => {
    const plain = harness.apiserver.handle;
    harness.apiserver.handle = (_, response) => response.writeHead(401).end("no");
    harness.apiserver.upgrade = (_, socket) =>
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    try {
      const forged = `${token.slice(0, token.lastIndexOf("."))}.AAAA`;
      const answer = await harness.fetch({ headers: { Authorization: `Bearer ${forged}` } });
      expect([answer.status, answer.body]).toEqual([401, "no"]);
      const upgrade = harness.request({
        path: execPath,
        method: "POST",
        headers: { Authorization: `Bearer ${forged}`, Connection: "Upgrade", Upgrade: "SPDY/3.1" },
      });
      upgrade.end();
      const [refused] = (await once(upgrade, "response")) as [IncomingMessage];
      expect(refused.statusCode).toBe(401);
      refused.resume();
    } finally {
      harness.apiserver.handle = plain;
    }
  });

  it.each([
    ["for another audience", { audience: "https://relay.example" }, {}, 401, "ERR_TOKEN_ISSUER_UNKNOWN"],
    ["of another issuer", { issuer: `${cluster}/`, audience: cluster }, {}, 401, "ERR_TOKEN_ISSUER_UNKNOWN"],
    ["without an audience", {}, { aud: undefined }, 401, "ERR_TOKEN_ISSUER_UNKNOWN"],
  ])("sends no token %s", async (_, mint, claims, status, code) => {
    const before = harness.apiserver.requests.length;
    const other = await signer.mint(claims, { issuer: cluster, subject, ...mint });
    const answer = await harness.fetch({ headers: { Authorization: `Bearer ${other}` } });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(code);
    expect(harness.apiserver.requests).toHaveLength(before);
  });

  it("refuses impersonation beside such a token", async () => {
    const before = harness.apiserver.requests.length;
    const answer = await harness.fetch({
      headers: { Authorization: `Bearer ${token}`, "Impersonate-User": "alice" },
    });
    expect(answer.status).toBe(403);
    expect(harness.apiserver.requests).toHaveLength(before);
  });

  it("is not done unless it was configured", async () => {
    const strict = await startAuthProxyHarness();
    try {
      const answer = await strict.fetch({ headers: { Authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(401);
      expect(strict.apiserver.requests.filter(({ target }) => target !== "/version")).toEqual([]);
    } finally {
      await strict.close();
    }
  });

  it("still impersonates a token of the same issuer for an audience of jwt[]", async () => {
    const both = await startAuthProxyHarness((issuer) => ({ passThrough: { issuer, audiences: ["api"] } }));
    try {
      await both.fetch({});
      expect(both.apiserver.requests.at(-1)!.values("impersonate-user")).toHaveLength(1);
      const forApiserver = `Bearer ${await both.issuer.mint({}, { audience: "api" })}`;
      await both.fetch({ headers: { Authorization: forApiserver } });
      expect(both.apiserver.requests.at(-1)!.values("authorization")).toEqual([forApiserver]);
      expect(impersonating(both.apiserver.requests.at(-1)!)).toEqual([]);
    } finally {
      await both.close();
    }
  });

  it("cannot be configured beside a client certificate, which would speak for every request", async () => {
    const { certPem, keyPem, caPem } = await createTestCertificate();
    const file = join(harness.directory, "kubeconfig");
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const kubeconfig = {
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      clusters: [
        {
          name: "a",
          cluster: { server: harness.apiserver.url, "certificate-authority-data": base64(caPem) },
        },
      ],
      users: [
        {
          name: "a",
          user: { "client-certificate-data": base64(certPem), "client-key-data": base64(keyPem) },
        },
      ],
    };
    writeFileSync(file, JSON.stringify(kubeconfig));
    await expect(
      startAuthProxyHarness({ apiserver: { kubeconfig: file }, passThrough: { issuer: cluster } }),
    ).rejects.toMatchObject({ code: "ERR_APISERVER_SETTINGS" });
  });
});

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askClientProxy } from "../../src/ci/control-client";
import {
  controlAddressFile,
  controlSecretFile,
  type StartRequestInput,
} from "../../src/client-proxy/control";
import { bundle } from "../support/bundle-process";
import { eventually } from "../support/eventually";

const secret = "do-not-show-me-in-any-log";

/** The shipped process on its own: everything beyond its own machine is missing, or the test's. */
describe("the detached client proxy", () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "client-proxy-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  });

  const relayBackend = (changes: Partial<Extract<StartRequestInput["backend"], { kind: "relay" }>> = {}) => ({
    kind: "relay" as const,
    url: "https://127.0.0.1:1",
    credential: { kind: "sas" as const, keyName: "ci", key: secret },
    clusterCredential: { kind: "static" as const, token: secret },
    ...changes,
  });
  const request = (changes: Partial<StartRequestInput> = {}): StartRequestInput => ({
    instanceDirectory: folder,
    cluster: "plant-7",
    backend: relayBackend(),
    contextName: "plant-7",
    ...changes,
  });

  function start(input: string | Buffer) {
    const child = spawn(process.execPath, [bundle("client-proxy")], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "" },
    });
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    // A process that has heard enough closes its end.
    child.stdin.on("error", () => undefined).end(input);
    return { child, output: () => output, exited: once(child, "exit").then(() => child.exitCode) };
  }

  async function serving(changes: Partial<StartRequestInput> = {}) {
    const started = start(JSON.stringify(request(changes)));
    await eventually(() => existsSync(join(folder, controlAddressFile)), 15_000);
    return {
      ...started,
      ask: (command: "status" | "wait" | "stop") => askClientProxy(folder, command, 5_000),
    };
  }

  it.each([
    ["is no JSON", `{"key":${secret}`, "not JSON"],
    ["is empty", "", "not JSON"],
    ["has an unknown key", JSON.stringify({ ...request(), logLevle: "info" }), 'did you mean \\"logLevel\\"'],
    ["lacks a key", JSON.stringify({ ...request(), cluster: undefined }), "cluster"],
    ["is too long", `"${"x".repeat(1_100_000)}"`, "too long"],
  ])("ends at once, and shows no secret, when its start request %s", async (_, input, words) => {
    const { exited, output } = start(input);
    expect(await exited).toBe(1);
    expect(output()).toContain("ERR_SETTINGS_INVALID");
    expect(output()).toContain(words);
    expect(output()).not.toContain(secret.slice(0, 6));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says over its control endpoint what stands in the way, and goes on trying", async () => {
    const { ask, output, child } = await serving();
    await eventually(() => output().includes("connect.failed"));
    expect(await ask("status")).toMatchObject({
      phase: "connecting",
      failure: { code: "ERR_RELAY_UNREACHABLE", hop: "relay" },
      statistics: { streams: 0, linksLost: 0 },
    });
    expect(child.exitCode).toBeNull();
    expect(output()).not.toContain(secret);
  });

  it("does not obey who does not know the secret", async () => {
    const { ask } = await serving();
    writeFileSync(join(folder, controlSecretFile), "0".repeat(64));
    await expect(ask("stop")).rejects.toThrow("ended the conversation");
  });

  it("is stopped by one command, answers it when everything is gone, and ends", async () => {
    const { ask, exited, output } = await serving();
    expect(await ask("stop")).toMatchObject({ phase: "stopped" });
    expect(await exited).toBe(0);
    expect(output()).toContain('"event":"stopped"');
    expect(readdirSync(folder).sort()).toEqual([controlAddressFile, controlSecretFile].sort());
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends in order on %s", async (signal) => {
    const { child, exited } = await serving();
    child.kill(signal);
    expect(await exited).toBe(0);
    expect(existsSync(join(folder, "control.sock"))).toBe(false);
  });

  it("fails for good, but stays to be asked, when its local port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const { ask, exited } = await serving({ listen: { host: "127.0.0.1", port } });
    expect(await ask("wait")).toMatchObject({ phase: "failed", failure: { code: "ERR_LOCAL_PORT" } });
    await ask("stop");
    expect(await exited).toBe(0);
    taken.close();
  });

  it("fails for good over a pin that is none, before it asks for any token", async () => {
    const { ask } = await serving({ backend: relayBackend({ clusterCa: ["sha256:nonsense"] }) });
    expect(await ask("wait")).toMatchObject({ phase: "failed", failure: { code: "ERR_SETTINGS_INVALID" } });
  });

  describe("at the CI system's token endpoint", () => {
    let server: Server;
    let answer: (count: number) => [status: number, body: string];
    let asked: number[];
    beforeEach(async () => {
      asked = [];
      server = createServer((_request, response) => {
        asked.push(Date.now());
        const [status, body] = answer(asked.length);
        response.writeHead(status).end(body);
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });
    const oidc = () => ({
      backend: relayBackend({
        clusterCredential: {
          kind: "github-oidc",
          requestUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
          requestToken: secret,
          audience: "cluster-connect/plant-7",
        },
      }),
    });

    it("asks an endpoint that fails four times, with pauses, and then fails", async () => {
      answer = () => [503, ""];
      const { ask, output } = await serving(oidc());
      const { phase, failure } = await ask("wait");
      expect([phase, failure?.code]).toEqual(["failed", "ERR_OIDC_UNREACHABLE"]);
      expect(asked).toHaveLength(4);
      expect(asked[3]! - asked[0]!).toBeGreaterThan(500);
      expect(output()).not.toContain(secret);
    });

    it("believes one that refuses, at once", async () => {
      answer = () => [403, ""];
      const { ask } = await serving(oidc());
      expect(await ask("wait")).toMatchObject({
        phase: "failed",
        failure: { code: "ERR_OIDC_REQUEST_REFUSED" },
      });
      expect(asked).toHaveLength(1);
    });

    it("goes on once it answers again", async () => {
      answer = (count) => (count < 3 ? [500, ""] : [200, JSON.stringify({ value: "e30.e30.c2ln" })]);
      const { ask } = await serving(oidc());
      await eventually(() => asked.length === 3);
      await eventually(() => existsSync(join(folder, controlAddressFile)));
      let code: string | undefined;
      while (code !== "ERR_RELAY_UNREACHABLE") code = (await ask("status")).failure?.code;
    });

    it("is stopped while it waits to ask again", async () => {
      answer = () => [503, ""];
      const { ask, exited } = await serving(oidc());
      await eventually(() => asked.length > 0);
      await ask("stop");
      expect(await exited).toBe(0);
    });
  });

  it("keeps its folder's files to its user", async () => {
    await serving();
    for (const name of readdirSync(folder)) {
      expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    }
    expect(readFileSync(join(folder, controlAddressFile), "utf8")).toBe(join(folder, "control.sock"));
  });
});

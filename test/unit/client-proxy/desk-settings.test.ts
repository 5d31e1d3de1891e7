import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proxyCommand } from "../../../src/client-proxy/command";
import { startRequest } from "../../../src/client-proxy/control";
import { splitCommand } from "../../../src/client-proxy/desk-files";
import { deskRequest, isArc, type DeskOptions } from "../../../src/client-proxy/desk-settings";

const base: DeskOptions = {
  relayUrl: "https://relay.example.com",
  cluster: "plant-7",
  tokenFile: "/tokens/cluster",
  relayTokenFile: "/tokens/relay",
  logLevel: "info",
  logFormat: "pretty",
};

describe("the flags at a desk", () => {
  const folder = mkdtempSync(join(tmpdir(), "desk-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));
  const request = (changes: Partial<DeskOptions>) => deskRequest({ ...base, ...changes }, "/instance");
  const without = (name: keyof DeskOptions) => {
    const { [name]: _, ...rest } = base;
    return rest as DeskOptions;
  };

  it("are the request that the detached process is given", () => {
    expect(startRequest.parse(request({}))).toEqual({
      instanceDirectory: "/instance",
      cluster: "plant-7",
      backend: {
        kind: "relay",
        url: "https://relay.example.com",
        credential: { kind: "file", path: "/tokens/relay" },
        clusterCredential: { kind: "file", path: "/tokens/cluster" },
        clusterCa: [],
        maxStreams: 512,
      },
      contextName: "plant-7",
      listen: { host: "127.0.0.1", port: 0 },
      logLevel: "info",
    });
  });

  it("name commands as words, without a shell", () => {
    const { tokenFile: _, ...rest } = base;
    expect(deskRequest({ ...rest, tokenCommand: "az account get-access-token" }, "/i").backend).toMatchObject(
      { clusterCredential: { kind: "command", command: ["az", "account", "get-access-token"] } },
    );
  });

  it("read keys, CAs and pins from where they are", () => {
    const key = { relayKeyName: "ci", relayKeyFile: file("key", " k3y \n") };
    const { relayTokenFile: _, ...rest } = base;
    const made = deskRequest(
      {
        ...rest,
        ...key,
        relayCa: file("relay.pem", "PEM of the relay"),
        clusterCa: ["sha256:abc", file("cluster.pem", "PEM of the cluster")],
        contextName: "seven",
        namespace: "apps",
      },
      "/i",
    );
    expect(made).toMatchObject({
      backend: {
        caPem: "PEM of the relay",
        credential: { kind: "sas", keyName: "ci", key: "k3y" },
        clusterCa: ["sha256:abc", "PEM of the cluster"],
      },
      contextName: "seven",
      namespace: "apps",
    });
  });

  it.each([
    ["127.0.0.1:6443", { host: "127.0.0.1", port: 6443 }],
    ["[::1]:0", { host: "::1", port: 0 }],
    ["localhost:1", { host: "localhost", port: 1 }],
  ])("listen on %s", (listen, wanted) => expect(request({ listen }).listen).toEqual(wanted));

  it.each<[string, DeskOptions, string]>([
    ["no token for the cluster", without("tokenFile"), "--token-file or --token-command"],
    ["two tokens for the cluster", { ...base, tokenCommand: "x" }, "--token-file or --token-command"],
    ["no token for the relay", without("relayTokenFile"), "--relay-token-file or --relay-token-command"],
    ["a key's name alone", { ...base, relayKeyName: "ci" }, "belong together"],
    ["a key's file alone", { ...base, relayKeyFile: "/k" }, "belong together"],
    ["a key beside a token", { ...base, relayKeyName: "ci", relayKeyFile: "/k" }, "either a key or a token"],
    ["no port", { ...base, listen: "127.0.0.1" }, "not host:port"],
    ["no host", { ...base, listen: ":6443" }, "not host:port"],
  ])("are refused with %s", (_, options, words) => {
    expect(() => deskRequest(options, "/i")).toThrow(
      expect.objectContaining({
        code: "ERR_SETTINGS_INVALID",
        detail: expect.stringContaining(words) as string,
      }),
    );
  });

  it("name a file that cannot be read", () => {
    expect(() => request({ relayCa: "/nowhere/ca.pem" })).toThrow(
      expect.objectContaining({ code: "ERR_SETTINGS_UNREADABLE" }),
    );
  });

  it("never take a secret itself, and each has a variable", () => {
    for (const { long, envVar } of proxyCommand().options) {
      expect(long).not.toMatch(/^--(relay-|arm-)?(token|key)$|^--client-(secret|assertion|certificate)$/);
      expect(envVar).toBe(`CLUSTER_CONNECT_${long!.slice(2).toUpperCase().replaceAll("-", "_")}`);
    }
  });
});

describe("the flags for Azure Arc", () => {
  const folder = mkdtempSync(join(tmpdir(), "desk-arc-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));
  const arc: DeskOptions = {
    cluster: "plant-7",
    subscriptionId: "sub",
    resourceGroup: "plants",
    tenantId: "tenant",
    logLevel: "info",
    logFormat: "pretty",
  };
  const program = { path: "/arcProxy", digest: `sha256:${"0".repeat(64)}` };
  const backend = (changes: Partial<DeskOptions>) =>
    startRequest.parse(deskRequest({ ...arc, ...changes }, "/i", program)).backend;
  const common = { kind: "arc", subscriptionId: "sub", resourceGroup: "plants", tenantId: "tenant", program };

  it("are told from those of a relay", () => {
    expect(isArc(arc)).toBe(true);
    expect(isArc(base)).toBe(false);
    for (const both of [
      { ...arc, relayUrl: "https://relay" },
      { ...arc, relayCa: "/ca" },
      { ...arc, clusterCa: ["/ca"] },
      { ...base, tenantId: "tenant" },
      { ...base, relayUrl: undefined } as never,
    ]) {
      expect(() => isArc(both)).toThrow(expect.objectContaining({ code: "ERR_SETTINGS_INVALID" }));
    }
  });

  it("sign in as an application, by assertion, certificate or secret", () => {
    const clientId = "app";
    expect(backend({ clientId, clientAssertionFile: "/token" })).toEqual({
      ...common,
      cloud: "AzureCloud",
      signIn: { kind: "assertion", clientId, assertion: { kind: "file", path: "/token" } },
    });
    expect(
      backend({ clientId, clientSecretFile: file("secret", "s3cret\n"), cloud: "AzureChinaCloud" }),
    ).toEqual({
      ...common,
      cloud: "AzureChinaCloud",
      signIn: { kind: "secret", clientId, secret: "s3cret" },
    });
    expect(backend({ clientId, clientCertificateFile: file("pem", "PEM") })).toMatchObject({
      signIn: { kind: "certificate", clientId, pem: "PEM" },
    });
  });

  it("come as a service account, with somebody else's token for ARM", () => {
    expect(backend({ armTokenCommand: "az account get-access-token", tokenFile: "/sa" })).toMatchObject({
      signIn: { kind: "token", source: { kind: "command" } },
      serviceAccount: { kind: "file", path: "/sa" },
    });
  });

  it.each<[string, Partial<DeskOptions>, string]>([
    ["no sign-in", {}, "--client-id and one of"],
    ["an application without a credential", { clientId: "app" }, "--client-id and one of"],
    ["two credentials", { clientId: "app", clientSecretFile: "/s", clientAssertionFile: "/a" }, "one of"],
    ["two ways to sign in", { clientId: "app", armTokenFile: "/t" }, "either --arm-token-"],
    ["a token for ARM alone", { armTokenFile: "/t" }, "a service account's token is needed"],
    [
      "no tenant",
      { clientId: "app", clientSecretFile: "/s", tenantId: undefined } as never,
      "belong together",
    ],
  ])("are refused with %s", (_, changes, words) => {
    expect(() => backend(changes)).toThrow(
      expect.objectContaining({
        code: "ERR_SETTINGS_INVALID",
        detail: expect.stringContaining(words) as string,
      }),
    );
  });
});

describe("a token command", () => {
  it.each([
    ["a b  c", ["a", "b", "c"]],
    [`a "b c" d`, ["a", "b c", "d"]],
    [`a 'b "c' --x="y z"`, ["a", 'b "c', "--x=y z"]],
    ["a $(rm) | b; c", ["a", "$(rm)", "|", "b;", "c"]],
    [`a ""`, ["a", ""]],
    ["", []],
  ])("%p is the words %p", (text, words) => expect(splitCommand(text)).toEqual(words));
});

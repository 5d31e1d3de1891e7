import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proxyCommand } from "../../../src/client-proxy/command";
import { startRequest } from "../../../src/client-proxy/control";
import { deskRequest, splitCommand, type DeskOptions } from "../../../src/client-proxy/desk-settings";

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
      relay: { url: "https://relay.example.com", credential: { kind: "file", path: "/tokens/relay" } },
      clusterCredential: { kind: "file", path: "/tokens/cluster" },
      clusterCa: [],
      contextName: "plant-7",
      listen: { host: "127.0.0.1", port: 0 },
      maxStreams: 512,
      logLevel: "info",
    });
  });

  it("name commands as words, without a shell", () => {
    const { tokenFile: _, ...rest } = base;
    expect(
      deskRequest({ ...rest, tokenCommand: "az account get-access-token" }, "/i").clusterCredential,
    ).toEqual({ kind: "command", command: ["az", "account", "get-access-token"] });
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
      relay: { caPem: "PEM of the relay", credential: { kind: "sas", keyName: "ci", key: "k3y" } },
      clusterCa: ["sha256:abc", "PEM of the cluster"],
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
      expect(long).not.toMatch(/^--(relay-)?(token|key)$/);
      expect(envVar).toBe(`CLUSTER_CONNECT_${long!.slice(2).toUpperCase().replaceAll("-", "_")}`);
    }
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

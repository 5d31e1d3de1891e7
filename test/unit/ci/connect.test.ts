import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect } from "../../../src/ci/connect";
import { disconnect } from "../../../src/ci/disconnect";
import { findProcess } from "../../../src/ci/process-identity";
import { FakePlatform, type FakePlatformOptions } from "../../support/fake-platform";

const standIn = join(__dirname, "../../support/stand-in-client-proxy.cjs");

describe("main and post over a client proxy that plays a part", () => {
  let temp: string;
  const opened: FakePlatform[] = [];
  const platformFor = (part: string, options: FakePlatformOptions = {}) => {
    const platform = new FakePlatform({
      tempDirectory: temp,
      environment: { PATH: process.env["PATH"], GITHUB_TOKEN: "secret" },
      ...options,
      inputs: {
        "cluster-name": part,
        "relay-url": "https://relay.invalid",
        timeout: "1s",
        ...options.inputs,
      },
    });
    opened.push(platform);
    return platform;
  };
  const connected = async (part: string, options: FakePlatformOptions = {}) => {
    const platform = platformFor(part, options);
    await connect(platform, standIn);
    return platform;
  };
  const directoryOf = (platform: FakePlatform) => platform.saved.get("instanceDirectory") ?? "";
  const isLeft = (platform: FakePlatform) =>
    existsSync(directoryOf(platform)) || findProcess(directoryOf(platform)) !== undefined;

  beforeEach(() => (temp = mkdtempSync(join(tmpdir(), "connect-"))));
  afterEach(async () => {
    for (const platform of opened.splice(0).reverse()) await disconnect(platform.nextStage());
    expect(readdirSync(temp)).toEqual([]);
    rmSync(temp, { recursive: true });
  });

  it("save what is needed to undo a thing before doing it", async () => {
    const { trace, failures } = await connected("plays");
    expect(failures).toEqual([]);
    expect(trace.indexOf("save kubeconfigPath")).toBeLessThan(trace.indexOf("export KUBECONFIG"));
    expect(trace.indexOf("save previousKubeconfig")).toBeLessThan(trace.indexOf("export KUBECONFIG"));
    expect(trace.at(-1)).toBe("save connectedAt");
  });

  it("keep secrets out of state, and hand the right to request tokens over in the start request alone", async () => {
    const platform = await connected("plays");
    const read = (name: string) => readFileSync(join(directoryOf(platform), name), "utf8");
    expect(JSON.parse(read("request.json"))).toMatchObject({
      cluster: "plays",
      backend: {
        kind: "relay",
        url: "https://relay.invalid",
        credential: { audience: "https://relay.invalid" },
        clusterCredential: { audience: "cluster-connect/plays", requestToken: "request-token" },
      },
      contextName: "plays",
      logLevel: "info",
    });
    expect(Object.keys(JSON.parse(read("environment.json")) as object)).toEqual(["PATH"]);
    expect([...platform.saved.values()].join()).not.toContain("request-token");
    expect(statSync(directoryOf(platform)).mode & 0o777).toBe(0o700);
  });

  it("write the log as one closed group and the one line after it", async () => {
    const { lines } = await connected("plays");
    const kinds = lines.map(({ kind }) => kind);
    expect(lines[0]).toEqual({ kind: "group", text: "Connect to plays through https://relay.invalid" });
    expect(kinds.indexOf("end")).toBe(lines.findIndex(({ text }) => text.startsWith("Connected to")) - 1);
  });

  it("raise the log's level in a job that was run again to find a fault, and show it afterwards", async () => {
    const platform = await connected("plays", { isDebug: true });
    expect(readFileSync(join(directoryOf(platform), "request.json"), "utf8")).toContain('"logLevel":"debug"');
    const post = platform.nextStage();
    await disconnect(post);
    expect(post.texts("info").join()).toContain("part.chosen");
  });

  it("undo everything in post and give variables their earlier values back", async () => {
    const environment = { PATH: "/bin", KUBECONFIG: "/home/me/config" };
    const platform = await connected("plays", { environment });
    const ours = environment.KUBECONFIG;
    expect(dirname(ours)).toBe(directoryOf(platform));
    const post = platform.nextStage();
    await disconnect(post);
    expect(post.exported).toEqual([
      ["KUBECONFIG", "/home/me/config"],
      ["KUBE_CONFIG_PATH", ""],
    ]);
    expect(isLeft(platform)).toBe(false);
    expect(post.texts("warning")).toEqual([]);
    expect(post.summaries[0]).toContain("| Streams | 3 |");
  });

  it("leave a KUBECONFIG that a later step has set", async () => {
    const environment: Record<string, string> = { PATH: "/bin" };
    const platform = await connected("plays", { environment });
    environment["KUBECONFIG"] = "/later";
    const post = platform.nextStage();
    await disconnect(post);
    expect(post.exported).toEqual([["KUBE_CONFIG_PATH", ""]]);
  });

  it("merge with a file of ours, never with one of the user's own", async () => {
    const environment: Record<string, string> = { PATH: "/bin" };
    await connected("plays", { environment, inputs: { "context-name": "first" } });
    await connected("plays", { environment, inputs: { "context-name": "second" } });
    const merged = readFileSync(environment["KUBECONFIG"]!, "utf8");
    expect(merged).toContain("first");
    expect(merged).toContain("current-context: second");
    expect(statSync(environment["KUBECONFIG"]!).mode & 0o777).toBe(0o600);
  });

  it("replace a file of the user's own, and do not touch it", async () => {
    const own = join(temp, "own");
    writeFileSync(own, "apiVersion: v1\nkind: Config\nclusters: [{ name: mine, cluster: {} }]\n");
    const environment: Record<string, string> = { PATH: "/bin", KUBECONFIG: own };
    await connected("plays", { environment });
    expect(readFileSync(environment["KUBECONFIG"]!, "utf8")).not.toContain("mine");
    expect(readFileSync(own, "utf8")).toContain("mine");
    rmSync(own);
  });

  it("fail over a name that is taken, and leave the other use alone", async () => {
    const environment: Record<string, string> = { PATH: "/bin" };
    const first = await connected("plays", { environment });
    const ours = environment["KUBECONFIG"];
    const second = await connected("plays", { environment });
    expect(second.failures.map(({ code }) => code)).toEqual(["ERR_KUBECONFIG_CLASH"]);
    expect(isLeft(second)).toBe(false);
    expect(isLeft(first)).toBe(true);
    expect(environment["KUBECONFIG"]).toBe(ours);
  });

  it.each([
    ["is refused for good", "fails", "ERR_RELAY_TOKEN_REFUSED", "part.chosen"],
    ["does not come through in time", "waits", "ERR_AGENT_NOT_CONNECTED", "part.chosen"],
    ["says nothing", "silent", "ERR_CI_TIMEOUT", "part.chosen"],
    ["answers nothing and heeds no signal", "stubborn", "ERR_CI_TIMEOUT", "part.chosen"],
    ["dies at once", "dies", "ERR_CI_START_FAILED", "part.chosen"],
  ])("tell once, clean up, and show the log, when the client proxy %s", async (_, part, code, logged) => {
    const platform = await connected(part);
    expect(platform.failures.map((error) => error.code)).toEqual([code]);
    expect(isLeft(platform)).toBe(false);
    expect(platform.exported).toEqual([]);
    expect(
      platform
        .texts("info")
        .filter((text) => text.startsWith("| "))
        .join(),
    ).toContain(logged);
    expect(platform.texts("warning")).toEqual([]);
  });

  it("cut what the far end says, so that the remedy is not cut off by the CI system", async () => {
    const { failures } = await connected("fails");
    expect(failures[0]!.explain().length).toBeLessThan(4_096);
    expect(failures[0]!.explain()).toContain("What to do");
  });

  it("name the program that something unexpected happened in", async () => {
    const [theirs] = (await connected("breaks")).failures;
    expect(theirs!.explain()).toContain("(ERR_UNEXPECTED)\nWhere: client proxy.");
    const platform = new FakePlatform({ tempDirectory: temp });
    platform.readInput = () => {
      throw new TypeError("odd");
    };
    await connect(platform, "unused");
    expect(platform.failures[0]!.explain()).toContain("(ERR_UNEXPECTED)\nWhere: CI job.");
  });

  it("say what stands in the way while they wait", async () => {
    const platform = await connected("waits", { inputs: { timeout: "3s" } });
    const obstacles = platform.texts("info").filter((text) => text.includes("Not connected yet"));
    expect(obstacles).toEqual([expect.stringMatching(/nobody ::error::evil \(ERR_AGENT_NOT_CONNECTED\)$/)]);
    expect(platform.failures[0]!.message).toContain("gave up after 3 s");
  });

  it("say how a client proxy ended that had ended before", async () => {
    const { failures } = await connected("dies");
    expect(failures[0]!.detail).toBe("exit code 3");
  });

  it("tell a client proxy that ended while it was connecting from one that never began to", async () => {
    const { failures } = await connected("dies-later", { inputs: { timeout: "5s" } });
    expect(failures.map(({ code, detail }) => [code, detail])).toEqual([
      ["ERR_CI_CLIENT_PROXY_GONE", "exit code 4"],
    ]);
  });

  it("do nothing in post when main never ran", async () => {
    const post = new FakePlatform();
    await disconnect(post);
    expect(post.lines.map(({ kind }) => kind)).toEqual(["debug"]);
    expect(post.trace).toEqual([]);
  });

  it("find in post a process that main was killed over before it could write anything down", async () => {
    const main = await connected("plays");
    const post = new FakePlatform(
      { tempDirectory: temp },
      new Map([["instanceDirectory", directoryOf(main)]]),
    );
    await disconnect(post);
    expect(isLeft(main)).toBe(false);
    expect(post.texts("warning")).toEqual([]);
  });

  it("warn in post, and show the log, when the client proxy was killed in between", async () => {
    const platform = await connected("plays");
    const pid = findProcess(directoryOf(platform))!;
    process.kill(pid, "SIGKILL");
    const post = platform.nextStage();
    await disconnect(post);
    expect(post.texts("warning")).toEqual([expect.stringContaining("had ended before the post step")]);
    expect(post.texts("info").join()).toContain("part.chosen");
    expect(post.summaries).toEqual([]);
    expect(isLeft(platform)).toBe(false);
  });

  it("warn in post about streams that were lost", async () => {
    const post = (await connected("loses")).nextStage();
    await disconnect(post);
    expect(post.texts("warning")).toEqual(["2 of 3 connections were lost."]);
    expect(post.summaries[0]).toContain("**2**");
  });

  it("delete in post nothing that main has not made, whatever the state says", async () => {
    const own = join(temp, "own");
    writeFileSync(own, "mine");
    await disconnect(new FakePlatform({ tempDirectory: temp }, new Map([["instanceDirectory", temp]])));
    const platform = await connected("plays");
    writeFileSync(join(directoryOf(platform), "control.address"), own);
    await disconnect(platform.nextStage());
    expect(isLeft(platform)).toBe(false);
    expect(readFileSync(own, "utf8")).toBe("mine");
    rmSync(own);
  });

  it("write no summary when told not to", async () => {
    const post = (await connected("plays", { inputs: { summary: "false" } })).nextStage();
    await disconnect(post);
    expect(post.summaries).toEqual([]);
  });

  it("carry on in post past what cannot be undone, with a warning", async () => {
    const platform = await connected("plays");
    const post = platform.nextStage();
    post.exportVariable = () => {
      throw new Error("no file");
    };
    await disconnect(post);
    expect(post.texts("warning")).toEqual(["Could not restore KUBECONFIG: no file"]);
    expect(post.texts("info").join()).not.toContain("are gone");
    expect(isLeft(platform)).toBe(false);
  });
});

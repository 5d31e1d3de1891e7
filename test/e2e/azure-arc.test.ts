import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { accountOf } from "../support/azure/arc-proxy/settings";
import { otherClusterName } from "../support/azure/arm";
import { objectId } from "../support/azure/entra";
import { useAzureArc } from "../support/azure/use-azure-arc";
import { systems } from "../support/ci-systems";
import { eventually } from "../support/eventually";
import { get, openStream } from "../support/kubeconfig-client";

describe.each(systems)("%s through Azure Arc", (_name, ci) => {
  const { main, post } = ci;
  const arc = useAzureArc(ci);

  it("fetches arcProxy before everything else, connects, serves, and leaves nothing but what it has fetched", async () => {
    const result = await arc.job.run("one", main, arc.inputs());
    expect(result.errors()).toEqual([]);
    expect(result.warnings()).toEqual([]);
    expect(result.stdout).toMatch(/Fetching arcProxy: 100 % of 0\.0 MB/);
    expect(result.stdout).toMatch(/arcProxy 1\.3\.029301 \(fetched\), sha256:[0-9a-f]{64}/);
    expect(result.stdout).toMatch(
      new RegExp(`^Connected to plant-7 \\(v1\\.36\\.3\\) as ${objectId} in `, "m"),
    );
    expect(result.stdout).toMatch(/s {2}Registered both with arcProxy$/m);
    const path = arc.job.environment["KUBECONFIG"]!;
    expect(result.outputs).toMatchObject({
      identity: objectId,
      "kubeconfig-path": path,
      "context-name": "plant-7",
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await get(path, "/api/v1/pods")).body)).toMatchObject({ seen: objectId });
    const undone = await arc.job.run("one", post, {});
    expect(undone.warnings()).toEqual([]);
    expect(undone.summary).toContain(`| Identity | ${objectId} |`);
    arc.expectNothingLeft();
    const kept = readdirSync(join(arc.job.folder, "_tool/arcProxy/1.3.29301"), {
      recursive: true,
      encoding: "utf8",
    });
    expect(kept.map((name) => name.split("/").at(-1))).toEqual(
      expect.arrayContaining(["arcProxy", "LICENSE.txt", "ThirdPartyNotice.txt"]),
    );
    const again = await arc.job.run("two", main, arc.inputs());
    expect(again.stdout).toMatch(/arcProxy 1\.3\.029301 \(cached\), sha256:/);
    await arc.job.run("two", post, {});
    arc.expectNothingLeft();
  });

  it("keeps every secret out of arguments, environments, files that stay, logs and state", async () => {
    const result = await arc.job.run(
      "one",
      main,
      arc.inputs({ "log-level": "debug", token: "sa-token-of-the-job" }),
    );
    expect(result.errors()).toEqual([]);
    const instance = dirname(arc.job.environment["KUBECONFIG"]!);
    const processes = arc.job.leftoverProcesses();
    expect(processes).toHaveLength(2);
    const texts = [
      ...processes.flatMap((pid) =>
        ["environ", "cmdline"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8")),
      ),
      ...["client-proxy.log", "arc-proxy.log", "arc-proxy/config.yml"].map((name) =>
        readFileSync(join(instance, name), "utf8"),
      ),
      result.unmasked,
      JSON.stringify(arc.job.stateOf("one")),
    ];
    for (const text of texts) {
      expect(text).not.toContain(arc.job.identity.requestToken);
      expect(text).not.toContain("sa-token-of-the-job");
      expect(text).not.toMatch(/eyJ[\w-]+\.eyJ|SharedAccessSignature sr/);
    }
    expect(result.outputs["identity"]).toBe(accountOf("sa-token-of-the-job"));
    await arc.job.run("one", post, {});
    arc.expectNothingLeft();
  });

  it("shows its assertions to Microsoft Entra alone, a fresh one each time", async () => {
    await arc.job.run("one", main, arc.inputs());
    // The stand-in for Entra takes no assertion twice; for nobody else was a token asked for.
    expect(arc.world.azure.entra.issued.slice(-2).sort()).toEqual([
      "6256c85f-0aad-4d50-b960-e6e9b21efe35/.default",
      "https://management.azure.com/.default",
    ]);
    if (ci.system === "github") {
      expect(new Set(arc.job.identity.audiences)).toEqual(new Set(["api://AzureADTokenExchange"]));
    }
    await arc.job.run("one", post, {});
  });

  it("reaches two clusters in one job, side by side, and unwinds in reverse", async () => {
    await arc.job.run("one", main, arc.inputs());
    const first = arc.job.environment["KUBECONFIG"]!;
    const second = await arc.job.run("two", main, arc.inputs({ "cluster-name": otherClusterName }));
    expect(second.errors()).toEqual([]);
    const merged = readFileSync(arc.job.environment["KUBECONFIG"]!, "utf8");
    expect(merged).toContain("current-context: plant-8");
    expect(merged).toContain("name: plant-7");
    for (const path of [first, arc.job.environment["KUBECONFIG"]!]) {
      expect((await get(path, "/api/v1/pods")).status).toBe(200);
    }
    await arc.job.run("two", post, {});
    expect(arc.job.environment["KUBECONFIG"]).toBe(first);
    expect((await get(first, "/api/v1/pods")).status).toBe(200);
    await arc.job.run("one", post, {});
    arc.expectNothingLeft();
  });

  it("leaves nothing when it is cancelled, when main is killed, and when the client proxy is", async () => {
    for (const kill of [false, true]) {
      arc.world.azure.arm.agent = "gone";
      const started = eventually(() => arc.world.azure.arcProxy.isRunning, 15_000);
      await arc.job.run("one", main, arc.inputs(), { cancelAfter: started, kill });
      await arc.job.run("one", post, {});
      arc.expectNothingLeft();
    }
    arc.world.azure.arm.agent = "connected";
    await arc.job.run("two", main, arc.inputs());
    const instance = dirname(arc.job.environment["KUBECONFIG"]!);
    const isProxy = (pid: number) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(instance);
    const [proxy] = arc.job.leftoverProcesses().filter(isProxy);
    process.kill(proxy!, "SIGKILL");
    await eventually(() => arc.job.leftoverProcesses().length === 1);
    expect(arc.world.azure.arcProxy.isRunning).toBe(true);
    await arc.job.run("two", post, {});
    arc.expectNothingLeft();
  });

  it("ends a client proxy that hangs and an arcProxy that is deaf, within ten seconds", async () => {
    arc.world.azure.arcProxy.faults = { ignoresSigterm: true };
    await arc.job.run("one", main, arc.inputs());
    const deaf = arc.world.azure.arcProxy.pids.at(-1);
    const [hanging] = arc.job.leftoverProcesses().filter((pid) => pid !== deaf);
    process.kill(hanging!, "SIGSTOP");
    const undone = await arc.job.run("one", post, {});
    expect(undone.exitCode).toBe(0);
    expect(undone.durationMs).toBeLessThan(10_000);
    arc.expectNothingLeft();
  });

  it("is over with the job even if post never runs: the CI system's sweep finds arcProxy too", async () => {
    await arc.job.run("one", main, arc.inputs());
    expect(arc.job.sweep()).toHaveLength(2);
    await eventually(() => arc.job.leftoverProcesses().length === 0);
  });

  it("counts and names what a crash of arcProxy has cost", async () => {
    await arc.job.run("one", main, arc.inputs());
    const watch = await openStream(arc.job.environment["KUBECONFIG"]!, "/api/v1/pods?watch=true");
    process.kill(arc.world.azure.arcProxy.pids.at(-1)!, "SIGKILL");
    expect(await watch.over).toBe("lost");
    const undone = await arc.job.run("one", post, {});
    expect(undone.warnings().join()).toMatch(/\d of \d+ connections were lost/);
    arc.expectNothingLeft();
  });

  it("takes an arcProxy that is there, without any registry, if its digest is right", async () => {
    const { path } = arc.world.azure.arcProxy;
    const offline = { "arc-proxy-path": path, "arc-proxy-registry": "https://127.0.0.1:1" };
    const wrong = await arc.job.run(
      "one",
      main,
      arc.inputs({ ...offline, "arc-proxy-digest": `sha256:${"0".repeat(64)}` }),
    );
    expect(wrong.errors()).toEqual([expect.stringContaining("(ERR_ARC_PROXY_DIGEST)")]);
    const digest = / is (sha256:[0-9a-f]{64}), not /.exec(wrong.errors()[0]!)![1]!;
    const right = await arc.job.run("two", main, arc.inputs({ ...offline, "arc-proxy-digest": digest }));
    expect(right.errors()).toEqual([]);
    await arc.job.run("two", post, {});
    arc.expectNothingLeft();
  });
});

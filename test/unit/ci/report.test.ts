import { execFileSync } from "node:child_process";
import { report, reportPhases, setOutputs } from "../../../src/ci/report";
import { readSettings } from "../../../src/ci/settings";
import { FakePlatform } from "../../support/fake-platform";
import { connectionFacts } from "./connection-facts";

const reported = (connection: Partial<typeof connectionFacts>, inputs: Record<string, string> = {}) => {
  const platform = new FakePlatform({
    inputs: { "cluster-name": "plant-7", "relay-url": "https://relay.example.com", ...inputs },
  });
  report(platform, readSettings(platform), { ...connectionFacts, ...connection }, 712);
  return platform;
};

describe("the report of a connection", () => {
  it("says who is connected to what, how fast, and nothing more when nothing is to be done", () => {
    const platform = reported({});
    expect(platform.texts("info")).toContain(
      "Connected to plant-7 (v1.36.3) as github:octo/app:production in 0.7 s",
    );
    expect([...platform.texts("warning"), ...platform.texts("notice")]).toEqual([]);
  });

  it("gives each phase its time", () => {
    const { log, texts } = new FakePlatform();
    reportPhases(log, connectionFacts);
    expect(texts("info")).toEqual([
      "0.12 s  Obtained the identity tokens",
      "0.20 s  Opened a session with the cluster's agent",
      "0.35 s  Sent a request to the cluster and got its answer",
      "0.00 s  Wrote the kubeconfig",
    ]);
  });

  it("warns once, with the pin to paste, when the relay was trusted", () => {
    const platform = reported({ caPinned: false });
    expect(platform.texts("warning")).toEqual([
      expect.stringContaining(`cluster-ca: ${connectionFacts.caPins[0]}`),
    ]);
  });

  it("is silent about it when told to be", () => {
    expect(reported({ caPinned: false }, { "insecure-trust-relay": "true" }).texts("warning")).toEqual([]);
  });

  it("gives the command that helps an identity without rights, safe to paste whatever the identity", () => {
    const identity = "github:o'brien $(touch x) `y`\n; rm -rf";
    const [notice = ""] = reported({ hasRights: false, identity }, { namespace: "shop" }).texts("notice");
    expect(notice).toContain("has no rights in namespace shop");
    const command = notice.slice(notice.indexOf("kubectl create clusterrolebinding"));
    const shown = execFileSync("sh", ["-c", `kubectl() { printf '%s\\n' "$@"; }; ${command}`], {
      encoding: "utf8",
    });
    expect(shown.trimEnd().split("\n")).toEqual([
      "create",
      "clusterrolebinding",
      expect.stringMatching(/^cluster-connect-view-[0-9a-f]{8}$/),
      "--clusterrole=view",
      "--user=github:o'brien $(touch x) `y` ; rm -rf",
    ]);
  });

  it("sets every output, on one line each", () => {
    const platform = new FakePlatform();
    setOutputs(platform, { ...connectionFacts, serverVersion: "v1\n2" }, "/job/kubeconfig");
    expect(platform.outputs).toEqual({
      "kubeconfig-path": "/job/kubeconfig",
      "context-name": "plant-7",
      server: "https://127.0.0.1:40123",
      identity: "github:octo/app:production",
      "server-version": "v1 2",
    });
  });
});

describe("the report of a task", () => {
  const reportedTask = (inputs: Record<string, string>) => {
    const platform = new FakePlatform({
      system: "azure-pipelines",
      inputs: { "cluster-name": "plant-7", "relay-url": "https://relay.example.com", ...inputs },
    });
    const facts = { ...connectionFacts, caPinned: false };
    report(platform, readSettings(platform), facts, 712);
    return platform;
  };
  const key = { "relay-key-name": "ci", "relay-key": "secret" };

  it("names inputs as its users do", () => {
    expect(reportedTask(key).texts("warning").join()).toContain("set clusterCa: sha256:");
  });

  it("says which token has the audience of Microsoft Entra, the louder the worse it is", () => {
    const trusted = { "insecure-trust-relay": "true" };
    const own = reportedTask({ ...trusted, ...key });
    expect([own.texts("warning"), own.texts("notice")]).toEqual([
      [],
      [expect.stringContaining("The cluster is shown a token of this pipeline")],
    ]);
    const given = reportedTask({ ...trusted, token: "service-account-token" });
    expect([given.texts("warning"), given.texts("notice")]).toEqual([
      [],
      [expect.stringContaining("The relay is shown a token of this pipeline")],
    ]);
    const generic = reportedTask({ ...trusted, ...key, "service-connection": "1" });
    expect(generic.texts("warning")).toEqual([expect.stringContaining("a token of the service connection")]);
    const shared = reportedTask({ ...trusted, "allow-shared-token": "true" });
    expect(shared.texts("warning")).toEqual([
      expect.stringContaining("Whoever runs the relay can act as its subject in the cluster"),
    ]);
    const entra = { "azure-subscription": "1", "relay-scope": "a/.default", "cluster-scope": "b/.default" };
    const exchanged = reportedTask({ ...trusted, ...entra });
    expect([exchanged.texts("warning"), exchanged.texts("notice")]).toEqual([[], []]);
  });
});

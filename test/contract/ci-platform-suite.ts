import type { CiPlatform, EntraLogin } from "../../src/ci/platform";
import { ClusterConnectError } from "../../src/runtime/errors";

/** A line that the CI system takes for more than text. */
export interface Command {
  readonly command: string;
  readonly message: string;
}

export interface PlatformHarness {
  readonly platform: CiPlatform;
  /** The platform as post of the same step meets it. */
  nextStage(): CiPlatform;
  /** Every command that the CI system would carry out. */
  commands(): Command[];
  /** Names of those that the platform may use to show text. */
  readonly own: readonly string[];
  /** How a job of this system may be known at Microsoft Entra. */
  readonly login: EntraLogin;
  masks(): string[];
  outputs(): Record<string, string>;
  /** The environment of later steps. */
  exported(): Record<string, string>;
  annotations(): string[];
  /** Whether the CI system would take the step for failed, and for nothing worse. */
  hasFailed(): boolean;
  summary(): string;
  close(): void;
}

const hostile = [
  "::set-output name=x::evil",
  "first\n::error::evil",
  "first\r\n  ::add-mask::evil",
  "a ##[error]evil",
  "a ##vso[task.setvariable variable=PATH]evil",
  "first\u2028::error::evil",
  "a #\u200b#vso[task.setvariable variable=PATH]evil",
  "a ##\u034fvso[task.setvariable variable=PATH]evil",
  "a ##vso[task.complete result=Succeeded;]evil",
  "##[endgroup]evil",
  "%0A::error::evil",
];

const injected = (harness: PlatformHarness): Command[] =>
  harness.commands().filter(({ command, message }) => message === "evil" || !harness.own.includes(command));

/** Every member, by the compiler's word. */
const members: Record<keyof CiPlatform, true> = {
  readInput: true,
  setOutput: true,
  exportVariable: true,
  maskSecret: true,
  state: true,
  log: true,
  fail: true,
  job: true,
  identity: true,
  writeSummary: true,
};

/** What `ci/` relies on, whatever the CI system. */
export function describeCiPlatform(
  name: string,
  create: (inputs: Record<string, string>) => PlatformHarness,
): void {
  describe(`the CI platform of ${name}`, () => {
    let harness: PlatformHarness;
    beforeEach(() => {
      harness = create({ "cluster-name": "  plant-7 \n", "relay-key": "line one\nline two" });
    });
    afterEach(() => harness.close());

    it("has at most ten members", () => {
      expect(Object.keys(members).length).toBeLessThanOrEqual(10);
    });

    it("reads an input trimmed, and one that was not given as empty", () => {
      expect(harness.platform.readInput("cluster-name")).toBe("plant-7");
      expect(harness.platform.readInput("context-name")).toBe("");
    });

    it("repeats no input in its output, which may be a secret", () => {
      expect(harness.platform.readInput("relay-key")).toBe("line one\nline two");
      expect(JSON.stringify(harness.commands())).not.toContain("line one");
    });

    it("keeps state for the rest of this stage and for the next one", () => {
      const { state } = harness.platform;
      expect(state.read("kubeconfigPath")).toBe("");
      state.save("kubeconfigPath", "/a\nb=c");
      expect(state.read("kubeconfigPath")).toBe("/a\nb=c");
      expect(harness.nextStage().state.read("kubeconfigPath")).toBe("/a\nb=c");
    });

    it("exports variables to this step and to later ones, whatever the value", () => {
      harness.platform.exportVariable("KUBECONFIG", "/a b\nPATH=/evil");
      expect(harness.platform.job.environment["KUBECONFIG"]).toBe("/a b\nPATH=/evil");
      expect(harness.exported()).toEqual({ KUBECONFIG: "/a b\nPATH=/evil" });
    });

    it("sets outputs, whatever the value", () => {
      harness.platform.setOutput("identity", "a\nserver=evil");
      expect(harness.outputs()).toEqual({ identity: "a\nserver=evil" });
    });

    it("masks a secret line by line", () => {
      harness.platform.maskSecret("first\r\n\nsecond");
      expect(harness.masks()).toEqual(["first", "second"]);
    });

    it.each(hostile)("shows %j without obeying it", (text) => {
      const { log } = harness.platform;
      log.startGroup(text);
      for (const show of [log.debug, log.info, log.notice, log.warning]) show(text);
      log.endGroup();
      expect(injected(harness)).toEqual([]);
    });

    it("fails with one annotation that tells the whole story", () => {
      harness.platform.fail(new ClusterConnectError("ERR_RELAY_UNREACHABLE", "a\n::error::evil"));
      expect(harness.annotations()).toHaveLength(1);
      expect(harness.annotations()[0]).toContain("(ERR_RELAY_UNREACHABLE)");
      expect(harness.annotations()[0]).toContain("What to do");
      expect(harness.hasFailed()).toBe(true);
      expect(injected(harness)).toEqual([]);
    });

    it("says where identity tokens come from, for an audience where that can be chosen", () => {
      const { identity } = harness.platform;
      const token = identity.token({ audience: "cluster-connect/plant-7", serviceConnection: undefined });
      expect("audience" in token).toBe(identity.choosesAudience);
      if (identity.choosesAudience) expect(token).toMatchObject({ audience: "cluster-connect/plant-7" });
    });

    it("says who it is at Microsoft Entra, and repeats no secret on the way", () => {
      const client = harness.platform.identity.entraClient(harness.login);
      expect(client).toMatchObject({ tenantId: "tenant", clientId: "client" });
      const shown = harness.commands().filter(({ command }) => !/mask|setsecret/.test(command));
      expect(JSON.stringify(shown)).not.toContain("request-token");
    });

    it("adds to the summary", async () => {
      await harness.platform.writeSummary("### one\n");
      expect(harness.summary()).toContain("### one");
    });
  });
}

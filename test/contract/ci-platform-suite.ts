import type { CiPlatform } from "../../src/ci/platform";
import { ClusterConnectError } from "../../src/runtime/errors";
import type { WorkflowCommand } from "../support/fake-runner/workflow-commands";

export interface PlatformHarness {
  readonly platform: CiPlatform;
  /** The platform as post of the same step meets it. */
  nextStage(): CiPlatform;
  /** Every command that the CI system would carry out. */
  commands(): WorkflowCommand[];
  masks(): string[];
  outputs(): Record<string, string>;
  /** The environment of later steps. */
  exported(): Record<string, string>;
  annotations(): string[];
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
  "%0A::error::evil",
];

const own = ["add-mask", "error", "warning", "notice", "debug", "group", "endgroup"];
const isInjected = ({ command, message }: WorkflowCommand) => message === "evil" || !own.includes(command);

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
  identityToken: true,
  writeSummary: true,
};

/** What `ci/` relies on, whatever the CI system. */
export function describeCiPlatform(
  name: string,
  create: (inputs: Record<string, string>) => PlatformHarness,
): void {
  describe(`the CI platform of ${name}`, () => {
    let harness: PlatformHarness;
    beforeEach(() => (harness = create({ "cluster-name": "  plant-7 \n" })));
    afterEach(() => harness.close());

    it("has at most ten members", () => {
      expect(Object.keys(members).length).toBeLessThanOrEqual(10);
    });

    it("reads an input trimmed, and one that was not given as empty", () => {
      expect(harness.platform.readInput("cluster-name")).toBe("plant-7");
      expect(harness.platform.readInput("relay-key")).toBe("");
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
      expect(harness.commands().filter(isInjected)).toEqual([]);
    });

    it("fails with one annotation that tells the whole story", () => {
      harness.platform.fail(new ClusterConnectError("ERR_RELAY_UNREACHABLE", "a\n::error::evil"));
      expect(harness.annotations()).toHaveLength(1);
      expect(harness.annotations()[0]).toContain("(ERR_RELAY_UNREACHABLE)");
      expect(harness.annotations()[0]).toContain("What to do");
      expect(harness.commands().filter(isInjected)).toEqual([]);
    });

    it("says where identity tokens for an audience come from", () => {
      expect(harness.platform.identityToken("cluster-connect/plant-7")).toMatchObject({
        audience: "cluster-connect/plant-7",
      });
    });

    it("adds to the summary", async () => {
      await harness.platform.writeSummary("### one\n");
      expect(harness.summary()).toContain("### one");
    });
  });
}

/** Azure Pipelines; this folder is the only place that knows its task library. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CiPlatform, PlatformLog } from "../platform";
import { plainText } from "../plain-text";
import { nameOn, textOn } from "../system-names";
import { createAzureDevOpsIdentity } from "./identity";
import { library, quietly } from "./task-library";

const system = "azure-pipelines";

export function createAzurePipelinesPlatform(environment: NodeJS.ProcessEnv = process.env): CiPlatform {
  const tempDirectory = environment["AGENT_TEMPDIRECTORY"] || tmpdir();
  return {
    readInput: (name) => quietly((tasks) => tasks.getInput(nameOn(system, name)))?.trim() ?? "",
    setOutput: (name, value) => library.setVariable(nameOn(system, name), value, false, true),
    // Plain: as an output it would reach later steps under this step's name only.
    exportVariable: (name, value) => library.setVariable(name, value),
    maskSecret,
    state: {
      save: (name, value) => library.setTaskVariable(name, value),
      read: (name) => library.getTaskVariable(name) ?? "",
    },
    log,
    // As a result, not as an exit code: that one would show as a second failure.
    fail: (error) =>
      library.setResult(
        library.TaskResult.Failed,
        error.explain((words) => textOn(system, words)),
      ),
    job: {
      system,
      tempDirectory,
      toolDirectory: environment["AGENT_TOOLSDIRECTORY"] || undefined,
      environment,
      isDebug: environment["SYSTEM_DEBUG"]?.toLowerCase() === "true",
    },
    identity: createAzureDevOpsIdentity(environment),
    writeSummary(markdown) {
      // Read by the agent after this step has ended, and deleted by it with its folder at the job's end.
      const folder = mkdtempSync(join(tempDirectory, "cluster-connect-summary-"));
      const path = join(folder, "Cluster Connect.md");
      writeFileSync(path, markdown, { mode: 0o600, flag: "wx" });
      library.uploadSummary(path);
      return Promise.resolve();
    },
  };
}

const print = (line: string) => void process.stdout.write(`${line}\n`);

const log: PlatformLog = {
  debug: (line) => library.debug(plainText(line)),
  info: (line) => print(plainText(line)),
  // Issues are errors and warnings; there is nothing milder.
  notice: (line) => print(plainText(line)),
  warning: (line) => library.warning(plainText(line)),
  startGroup: (title) => print(`##[group]${plainText(title)}`),
  endGroup: () => print("##[endgroup]"),
};

/** A secret of several lines is refused by library and agent: each line is one. */
function maskSecret(value: string): void {
  for (const line of value.split(/\r?\n/)) if (line.trim() !== "") library.setSecret(line);
}

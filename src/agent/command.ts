import { Command } from "commander";
import { configOption, logFormatOption, logLevelOption } from "../runtime/process-flags";
import { productVersion } from "../runtime/version";
import type { AgentOptions } from "./main";

export function agentCommand(): Command {
  return new Command("agent")
    .description("serve a cluster's sessions: run in the cluster, beside the auth proxy")
    .addOption(configOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .action(async (options: Omit<AgentOptions, "version">) => {
      const { runAgent } = await import(/* webpackMode: "eager" */ "./main");
      process.exitCode = await runAgent({ ...options, version: productVersion });
    });
}

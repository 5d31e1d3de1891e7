import { Command } from "commander";
import { messageOf } from "../runtime/errors";
import { configOption, logFormatOption, logLevelOption } from "../runtime/process-flags";
import type { ExplainOptions } from "./explain";
import type { AuthProxyOptions } from "./main";

export function authProxyCommand(): Command {
  return new Command("auth-proxy")
    .description("authenticate callers and pass their requests to the apiserver as themselves")
    .addOption(configOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .action(async (options: Omit<AuthProxyOptions, "environment">) => {
      const { runAuthProxy } = await import(/* webpackMode: "eager" */ "./main");
      process.exitCode = await runAuthProxy({ ...options, environment: process.env });
    })
    .addCommand(explainCommand());
}

function explainCommand(): Command {
  return new Command("explain")
    .description("say who a token is by the configuration (exit code 0), or why nobody (1)")
    .requiredOption("--token-file <file>", "a JWT")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExplainOptions & { readonly logFormat: string }>();
      const { explainToken, explanationText } = await import(/* webpackMode: "eager" */ "./explain");
      const explanation = await explainToken(options).catch((error: unknown) => {
        command.error(`error: ${messageOf(error)}`, { exitCode: 2 });
      });
      const isForMachines = options.logFormat === "json";
      process.stdout.write(isForMachines ? `${JSON.stringify(explanation)}\n` : explanationText(explanation));
      process.exitCode = explanation.admitted ? 0 : 1;
    });
}

import { Command, Option } from "commander";
import { messageOf } from "../runtime/errors";
import { configOption, logFormatOption, logLevelOption } from "../runtime/process-flags";
import type { ExplainOptions } from "./explain";
import type { RelayOptions } from "./main";

export function relayCommand(): Command {
  return new Command("relay")
    .description("serve the relay that agents and client proxies call")
    .addOption(configOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .action(async (options: RelayOptions) => {
      const { runRelay } = await import(/* webpackMode: "eager" */ "./main");
      process.exitCode = await runRelay(options);
    })
    .addCommand(explainCommand());
}

function explainCommand(): Command {
  return new Command("explain")
    .description("say which rule of the configuration admits a token (exit code 0), or why none does (1)")
    .requiredOption("--token-file <file>", "a JWT, or a shared access signature")
    .requiredOption("--cluster <name>", "the cluster that it is shown for")
    .addOption(
      new Option("--right <right>", "to connect to the cluster, or to listen for it")
        .choices(["send", "listen"])
        .default("send"),
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExplainOptions & { readonly logFormat: string }>();
      const { explainAdmission, explanationText } = await import(/* webpackMode: "eager" */ "./explain");
      const explanation = await explainAdmission(options).catch((error: unknown) => {
        command.error(`error: ${messageOf(error)}`, { exitCode: 2 });
      });
      const text =
        options.logFormat === "json" ? `${JSON.stringify(explanation)}\n` : explanationText(explanation);
      process.stdout.write(text);
      process.exitCode = explanation.admitted ? 0 : 1;
    });
}

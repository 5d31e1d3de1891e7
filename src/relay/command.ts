import { Command } from "commander";
import { configOption, logFormatOption, logLevelOption } from "../runtime/process-flags";
import { runRelay, type RelayOptions } from "./main";

export function relayCommand(): Command {
  return new Command("relay")
    .description("serve the relay that agents and client proxies call")
    .addOption(configOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .action(async (options: RelayOptions) => {
      process.exitCode = await runRelay(options);
    });
}

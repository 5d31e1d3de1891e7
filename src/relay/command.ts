import { Command, Option } from "commander";
import { runRelay, type RelayOptions } from "./main";

export function relayCommand(): Command {
  return new Command("relay")
    .description("serve the relay that agents and client proxies call")
    .addOption(
      new Option("--config <file>", "YAML configuration").env("CLUSTER_CONNECT_CONFIG").makeOptionMandatory(),
    )
    .addOption(
      new Option("--log-level <level>")
        .choices(["debug", "info", "warn", "error"])
        .default("info")
        .env("CLUSTER_CONNECT_LOG_LEVEL"),
    )
    .addOption(
      new Option("--log-format <format>")
        .choices(["json", "pretty"])
        .default("pretty")
        .env("CLUSTER_CONNECT_LOG_FORMAT"),
    )
    .action(async (options: RelayOptions) => {
      process.exitCode = await runRelay(options);
    });
}

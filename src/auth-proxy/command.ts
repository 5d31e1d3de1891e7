import { Command, Option } from "commander";
import { runAuthProxy, type AuthProxyOptions } from "./main";

export function authProxyCommand(): Command {
  return new Command("auth-proxy")
    .description("authenticate callers and pass their requests to the apiserver as themselves")
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
    .action(async (options: Omit<AuthProxyOptions, "environment">) => {
      process.exitCode = await runAuthProxy({ ...options, environment: process.env });
    });
}

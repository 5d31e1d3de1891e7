import { Option } from "commander";

/** The flags that every process has, each with its environment variable. */
export const configOption = () =>
  new Option("--config <file>", "YAML configuration").env("CLUSTER_CONNECT_CONFIG").makeOptionMandatory();

export const logLevelOption = () =>
  new Option("--log-level <level>", "least level that is logged")
    .choices(["debug", "info", "warn", "error"])
    .default("info")
    .env("CLUSTER_CONNECT_LOG_LEVEL");

export const logFormatOption = () =>
  new Option("--log-format <format>", "for people or for machines")
    .choices(["json", "pretty"])
    .default("pretty")
    .env("CLUSTER_CONNECT_LOG_FORMAT");

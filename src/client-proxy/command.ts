import { Command, Option } from "commander";
import { logFormatOption, logLevelOption } from "../runtime/process-flags";
import type { DeskOptions } from "./desk-settings";

/** Flags with their environment variables; a secret is always a file or a command, never an argument. */
const flags: readonly (readonly [string, string])[] = [
  ["--relay-url <url>", "the relay, or an Azure Relay namespace"],
  ["--token-file <file>", "token for the cluster, read anew when it changes"],
  ["--token-command <command>", "command that prints one: raw, as ExecCredential, or as the az CLI does"],
  ["--relay-token-file <file>", "token for the relay"],
  ["--relay-token-command <command>", "command that prints one"],
  ["--relay-key-name <name>", "name of a shared access key, instead of a token for the relay"],
  ["--relay-key-file <file>", "the key"],
  ["--relay-ca <file>", "PEM of the CA that signs the relay's certificate"],
  ["--subscription-id <id>", "instead of --relay-url: an Azure Arc-enabled cluster of this subscription"],
  ["--resource-group <name>", "resource group of the cluster"],
  ["--cloud <name-or-url>", "AzureCloud, AzureUSGovernment, AzureChinaCloud, or an ARM endpoint"],
  ["--tenant-id <id>", "tenant of the subscription"],
  ["--client-id <id>", "application that signs in, by one of the three that follow"],
  ["--client-assertion-file <file>", "token that a federated credential of the application trusts"],
  ["--client-assertion-command <command>", "command that prints one, run for each sign-in"],
  ["--client-certificate-file <file>", "PEM of the application's certificate and private key"],
  ["--client-secret-file <file>", "the application's secret"],
  [
    "--arm-token-file <file>",
    "token for ARM, instead of an application; then --token-… is a service account's",
  ],
  ["--arm-token-command <command>", "command that prints one"],
  ["--arc-proxy-path <file>", "arcProxy that is there already"],
  ["--arc-proxy-digest <digest>", "the only sha256:… that arcProxy may have"],
  ["--arc-proxy-registry <url>", "mirror of the registry that arcProxy is fetched from"],
  ["--listen <host:port>", "local address; default 127.0.0.1 and a free port"],
  ["--max-streams <number>", "connections carried at a time; default 512, which is the agent's default too"],
  ["--context-name <name>", "name of the context; default: the cluster's"],
  ["--namespace <name>", "namespace of the context"],
  ["--merge-into <kubeconfig>", "add the context to this file, and take it out at the end"],
];

const environmentName = (flag: string) =>
  `CLUSTER_CONNECT_${(/[a-z][a-z-]*/.exec(flag)?.[0] ?? "").toUpperCase().replaceAll("-", "_")}`;

export function proxyCommand(): Command {
  const command = new Command("proxy").description("connect this machine to a cluster, in the foreground");
  const cluster = new Option("--cluster <name>", "the cluster").env("CLUSTER_CONNECT_CLUSTER");
  command.addOption(cluster.makeOptionMandatory());
  for (const [flag, help] of flags) command.addOption(new Option(flag, help).env(environmentName(flag)));
  return command
    .addOption(
      new Option("--cluster-ca <file-or-pin...>", "PEM files or sha256:… pins of the cluster's CA").env(
        "CLUSTER_CONNECT_CLUSTER_CA",
      ),
    )
    .addOption(
      new Option("--insecure-trust-relay", "do not warn when --cluster-ca is missing").env(
        "CLUSTER_CONNECT_INSECURE_TRUST_RELAY",
      ),
    )
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .action(async (options: DeskOptions) => {
      const { runDesk } = await import(/* webpackMode: "eager" */ "./desk");
      process.exitCode = await runDesk(options, (line) => process.stdout.write(`${line}\n`));
    });
}

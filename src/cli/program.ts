import { Command } from "commander";
import { agentCommand } from "../agent/command";
import { authProxyCommand } from "../auth-proxy/command";
import { proxyCommand } from "../client-proxy/command";
import { relayCommand } from "../relay/command";
import { version } from "../runtime/version";

/** Every process of the product behind one command. */
export function createProgram(): Command {
  return new Command("cluster-connect")
    .description("Reach a Kubernetes API server behind a firewall, with no inbound port open")
    .version(version)
    .showHelpAfterError()
    .addCommand(proxyCommand())
    .addCommand(relayCommand())
    .addCommand(agentCommand())
    .addCommand(authProxyCommand())
    .addCommand(
      new Command("version").description("print the version").action(() => {
        process.stdout.write(`cluster-connect ${version} (Node ${process.version})\n`);
      }),
    );
}

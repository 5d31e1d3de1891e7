import { Command } from "commander";
import { agentCommand } from "../agent/command";
import { authProxyCommand } from "../auth-proxy/command";
import { proxyCommand } from "../client-proxy/command";
import { demoCommands } from "../demo/command";
import { relayCommand } from "../relay/command";
import { version } from "../runtime/version";

/**
 * Every process of the product behind one command. Each command's own code is loaded when that command runs
 * (`webpackMode: "eager"` keeps it in the one bundle): a relay does without the demo, and starts sooner and smaller.
 * `bundles` is the folder that holds every bundle: `dist/`.
 */
export function createProgram(bundles: string): Command {
  const { demo, services } = demoCommands(bundles);
  const program = new Command("cluster-connect")
    .description("Reach a Kubernetes API server behind a firewall, with no inbound port open")
    .version(version)
    .showHelpAfterError()
    .addCommand(proxyCommand())
    .addCommand(relayCommand())
    .addCommand(agentCommand())
    .addCommand(authProxyCommand())
    .addCommand(demo)
    .addCommand(
      new Command("version").description("print the version").action(() => {
        process.stdout.write(`cluster-connect ${version} (Node ${process.version})\n`);
      }),
    );
  for (const service of services) program.addCommand(service, { hidden: true });
  return program;
}

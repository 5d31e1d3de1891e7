import { resolve } from "node:path";
import { Command, Option } from "commander";
import { runDemo } from "./demo";
import { serviceCommands } from "./services";

/** `demo`, and the hidden commands of its processes. `bundles` is the folder that holds every bundle. */
export function demoCommands(bundles: string): Command[] {
  const demo = new Command("demo")
    .description("show the whole way on this machine, with nothing but Node")
    .addOption(
      new Option("--kubeconfig <file>", "put a real cluster behind it; nothing there is changed").env(
        "CLUSTER_CONNECT_KUBECONFIG",
      ),
    )
    .action(async ({ kubeconfig }: { kubeconfig?: string }) => {
      const interrupted = new AbortController();
      process.on("SIGINT", () => interrupted.abort()).on("SIGTERM", () => interrupted.abort());
      const held = await runDemo({
        bundles,
        kubeconfig: kubeconfig === undefined ? undefined : resolve(kubeconfig),
        print: (line) => process.stdout.write(`${line}\n`),
        signal: interrupted.signal,
      });
      process.exit(held ? 0 : 1);
    });
  return [demo, ...serviceCommands()];
}

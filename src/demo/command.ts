import { resolve } from "node:path";
import { Command, Option } from "commander";

interface DemoFlags {
  readonly kubeconfig?: string;
  readonly grant?: boolean;
  readonly hold?: string;
}

/** `demo`, and the hidden commands of its processes. `bundles` is the folder that holds every bundle. */
export function demoCommands(bundles: string): { demo: Command; services: Command[] } {
  const demo = new Command("demo")
    .description("show the whole way on this machine, with nothing but Node")
    .addOption(
      new Option(
        "--kubeconfig <file>",
        "put a real cluster behind it; without --grant, nothing there is changed",
      ).env("CLUSTER_CONNECT_KUBECONFIG"),
    )
    .addOption(
      new Option(
        "--grant",
        "with --kubeconfig: while it runs, let the demo's user list pods and create config maps in namespace default",
      ).env("CLUSTER_CONNECT_GRANT"),
    )
    .addOption(
      new Option(
        "--hold <file>",
        "run no job, stay until interrupted, and write into this file what a job needs, in the form of GITHUB_ENV",
      ).env("CLUSTER_CONNECT_HOLD"),
    )
    .action(async ({ kubeconfig, grant = false, hold }: DemoFlags, command: Command) => {
      if (grant && kubeconfig === undefined) command.error("error: --grant needs --kubeconfig");
      const interrupted = new AbortController();
      const interrupt = () => interrupted.abort(new Error("interrupted"));
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
      // Whoever closes the pipe has had enough too; what was started must be stopped all the same.
      process.stdout.on("error", interrupt);
      const { runDemo } = await import(/* webpackMode: "eager" */ "./demo");
      const held = await runDemo({
        bundles,
        kubeconfig: kubeconfig === undefined ? undefined : resolve(kubeconfig),
        grant,
        hold: hold === undefined ? undefined : resolve(hold),
        print: (line) => process.stdout.write(`${line}\n`),
        signal: interrupted.signal,
      });
      process.exit(held ? 0 : 1);
    });
  return { demo, services: serviceCommands() };
}

/** Hidden: the demo starts itself with them. */
function serviceCommands(): Command[] {
  const services = () => import(/* webpackMode: "eager" */ "./services");
  return [
    new Command("demo-issuer").argument("<folder>").action(async (folder: string) => {
      process.exitCode = await (await services()).runIssuer(folder);
    }),
    new Command("demo-kubernetes").argument("<folder>").action(async (folder: string) => {
      process.exitCode = await (await services()).runKubernetes(folder);
    }),
  ];
}

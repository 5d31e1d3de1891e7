/** The embedded API, visited by kubectl as anybody would. */
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configMap, expect, visitor, type Place, type Visit } from "./visit";

const timeoutMs = 20_000;

interface Expected {
  readonly output?: string;
  readonly exitCode?: number;
  readonly stdin?: string;
  /** Ends it as soon as what it has printed satisfies this; its exit code does not matter then. */
  readonly until?: (soFar: string) => boolean;
  /** Called when it has printed something for the first time. */
  readonly onFirst?: () => void;
}

export const visitsByKubectl: readonly Visit[] = [
  kubectl(["version"], { output: "v1.36.3-demo" }),
  kubectl(["auth", "whoami"], { output: visitor }),
  kubectl(["get", "namespaces,pods"], { output: "pod/hello" }),
  {
    title: "kubectl apply -f visit.json, again with other data, and delete, seen by kubectl get --watch",
    run: watchChanges,
  },
  kubectl(["logs", "hello", "--follow"], { until: (output) => output.includes("still here (3)") }),
  kubectl(["exec", "hello", "--", "echo", "from", "inside"], { output: "from inside" }),
  kubectl(["exec", "hello", "--", "sh", "-c", "exit 3"], { output: "exit code 3", exitCode: 3 }),
  kubectl(["exec", "-i", "hello", "--", "cat"], { stdin: "there and back", output: "there and back" }),
];

export function isKubectlOnPath(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore", timeout: timeoutMs });
    return true;
  } catch {
    return false;
  }
}

async function watchChanges(place: Place): Promise<string> {
  const over = new AbortController();
  let onFirst: () => void = () => undefined;
  const watching = new Promise<void>((resolve) => (onFirst = resolve));
  const events = run(
    ["get", "configmaps", "--watch", "--output-watch-events"],
    { until: (output) => output.includes("DELETED"), onFirst },
    { ...place, signal: AbortSignal.any([place.signal, over.signal]) },
  );
  events.catch(() => undefined);
  try {
    // It begins with the config maps that there are; what is done before that would not be seen as it happens.
    await Promise.race([watching, events]);
    const lines = await change(place);
    const seen = [...(await events).matchAll(/^(ADDED|MODIFIED|DELETED) +visit /gm)].map(([, type]) => type);
    expect(seen.join() === "ADDED,MODIFIED,DELETED", seen.join());
    return [...lines, `the watch saw ${seen.join(", ")}`].join("\n");
  } finally {
    over.abort();
  }
}

async function change(place: Place): Promise<string[]> {
  const file = join(place.folder, "visit.json");
  const apply = async (by: string, expected: string) => {
    writeFileSync(file, JSON.stringify({ ...configMap, data: { by } }));
    return run(["apply", "-f", file], { output: expected }, place);
  };
  const lines = [
    await apply("the demo", "created"),
    await apply("the demo, again", "configured"),
    await run(["delete", "configmap", "visit"], { output: "deleted" }, place),
  ];
  return lines.map((line) => line.trim());
}

function kubectl(args: readonly string[], expected: Expected): Visit {
  const input = expected.stdin === undefined ? "" : `echo ${expected.stdin} | `;
  const words = args.map((word) => (word.includes(" ") ? `'${word}'` : word));
  return {
    title: `${input}kubectl ${words.join(" ")}`,
    run: async (place) => (await run(args, expected, place)).trim(),
  };
}

/** Resolves with all that it printed; rejects when that, or its exit code, is not as expected. */
function run(args: readonly string[], expected: Expected, place: Place): Promise<string> {
  const { output: wanted = "", exitCode = 0, stdin, until } = expected;
  return new Promise((resolve, reject) => {
    const child = spawn("kubectl", [...args], {
      env: {
        PATH: process.env["PATH"] ?? "",
        // Its caches go with the job.
        HOME: place.folder,
        KUBECONFIG: place.kubeconfig,
        KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "true",
      },
      stdio: ["pipe", "pipe", "pipe"],
      signal: place.signal,
      timeout: timeoutMs,
      windowsHide: true,
    });
    let output = "";
    let hasEnough = false;
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      expected.onFirst?.();
      if (until?.(output) !== true) return;
      hasEnough = true;
      child.kill();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.stdin.on("error", () => undefined).end(stdin ?? "");
    child.once("error", reject);
    child.once("close", (code) => {
      if (hasEnough || (until === undefined && code === exitCode && output.includes(wanted))) resolve(output);
      else reject(new Error(`exit ${String(code)}: ${output.trim()}`));
    });
  });
}

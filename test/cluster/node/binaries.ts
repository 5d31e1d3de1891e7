/** Kubernetes, etcd, helm and actionlint, built by Go from their modules: nothing else that can be installed carries them. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache";
import { mustRun } from "./command";
import { report } from "./report";

export const kubernetesVersion = "v1.36.3";
const helmVersion = "v4.3.1";
const tools = join(__dirname, "../tools");

interface Recipe {
  readonly module: string;
  /** File name of each program, and the package it is built from. */
  readonly programs: Readonly<Record<string, string>>;
  /** String variables set at link time: a build from a module knows no version of its own. */
  readonly stamps: Readonly<Record<string, string>>;
}

const recipes: readonly Recipe[] = [
  {
    module: "kubernetes",
    programs: Object.fromEntries(
      ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"].map((name) => [
        name,
        `k8s.io/kubernetes/cmd/${name}`,
      ]),
    ),
    // kubectl and helm parse what the apiserver says it is.
    stamps: {
      "k8s.io/component-base/version.gitVersion": kubernetesVersion,
      "k8s.io/component-base/version.gitMajor": "1",
      "k8s.io/component-base/version.gitMinor": "36",
      "k8s.io/client-go/pkg/version.gitVersion": kubernetesVersion,
    },
  },
  { module: "etcd", programs: { etcd: "go.etcd.io/etcd/server/v3" }, stamps: {} },
  {
    module: "helm",
    programs: { helm: "helm.sh/helm/v4/cmd/helm" },
    stamps: { "helm.sh/helm/v4/internal/version.version": helmVersion },
  },
  {
    module: "actionlint",
    programs: { actionlint: "github.com/rhysd/actionlint/cmd/actionlint" },
    stamps: {},
  },
];

export interface Binaries {
  readonly "kube-apiserver": string;
  readonly "kube-controller-manager": string;
  readonly "kube-scheduler": string;
  readonly kubelet: string;
  readonly kubectl: string;
  readonly etcd: string;
  readonly helm: string;
  /** Of workflows, not of the node; built like its programs. */
  readonly actionlint: string;
}

/** The path of each program; what the cache does not hold is built first, which takes minutes. */
export async function provideBinaries(): Promise<Binaries> {
  const found: Record<string, string> = {};
  for (const recipe of recipes) {
    const folder = await provide(recipe);
    for (const name of Object.keys(recipe.programs)) found[name] = join(folder, name);
  }
  return found as unknown as Binaries;
}

function provide({ module, programs, stamps }: Recipe): Promise<string> {
  const source = join(tools, module);
  const flags = ["-s", "-w", ...Object.entries(stamps).map(([name, value]) => `-X ${name}=${value}`)].join(
    " ",
  );
  return cached({
    name: module,
    sources: [join(source, "go.mod"), join(source, "go.sum")],
    recipe: { programs, flags, architecture: process.arch },
    make: async (folder) => {
      await checkGo();
      mkdirSync(folder, { recursive: true });
      for (const [name, path] of Object.entries(programs)) {
        report(`building ${name}`);
        await mustRun("go", ["build", "-trimpath", "-ldflags", flags, "-o", join(folder, name), path], {
          cwd: source,
          // Without cgo the build asks for no C compiler, and the programs for no library. Nothing outside the
          // module decides what is built: no workspace above it, no other toolchain, no change of its go.mod.
          env: {
            ...process.env,
            CGO_ENABLED: "0",
            GOWORK: "off",
            GOTOOLCHAIN: "local",
            GOFLAGS: "-mod=readonly",
          },
        });
      }
    },
  });
}

async function checkGo(): Promise<void> {
  const version = await mustRun("go", ["env", "GOVERSION"]).catch(() => "");
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  if (major > 1 || (major === 1 && minor >= 26)) return;
  throw new Error(
    `Go 1.26 or newer has to be on PATH to build the node's programs; found ${version || "none"}`,
  );
}

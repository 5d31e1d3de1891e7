import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createArchive } from "../tar-archive";
import type { StandInEvent, StandInFaults, StandInSettings } from "./settings";

const root = join(__dirname, "../../../..");

/** An executable file that behaves as arcProxy does, and the test's side of what it does. */
export class ArcProxyProgram {
  readonly path: string;
  /** The file's text. */
  readonly script: string;

  /** Makes `folder`, and everything in it. */
  constructor(
    readonly folder: string,
    settings: Partial<StandInSettings> & Pick<StandInSettings, "upstream">,
  ) {
    mkdirSync(folder);
    const complete: StandInSettings = {
      folder,
      kubeconfig: "insecure",
      names: ["127.0.0.1", "localhost"],
      relayHost: "azgnrelay-ph0-l1.servicebus.windows.net",
      ...settings,
    };
    // Our own TypeScript, transpiled as it is loaded: nothing has to be built before.
    this.script = [
      `#!${process.execPath}`,
      `require(${JSON.stringify(join(root, "scripts/typescript.cjs"))});`,
      `const { run } = require(${JSON.stringify(join(__dirname, "main.ts"))});`,
      `run(${JSON.stringify(complete)}).catch((error) => { console.error(error); process.exit(2); });`,
      "",
    ].join("\n");
    this.path = join(folder, "arcProxy");
    writeFileSync(this.path, this.script);
    chmodSync(this.path, 0o755);
  }

  /** The archive that the registry holds. */
  archive(): Buffer {
    return createArchive([
      { path: "package/arcProxy_linux_amd64", content: this.script },
      { path: "package/LICENSE.txt", content: "licence" },
      { path: "package/ThirdPartyNotice.txt", content: "notice" },
    ]);
  }

  set faults(faults: StandInFaults) {
    writeFileSync(join(this.folder, "faults.json"), JSON.stringify(faults));
  }

  events<Kind extends StandInEvent["event"]>(kind: Kind): Extract<StandInEvent, { event: Kind }>[] {
    const file = join(this.folder, "events.jsonl");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    return lines
      .map((line) => JSON.parse(line) as StandInEvent)
      .filter((event): event is Extract<StandInEvent, { event: Kind }> => event.event === kind);
  }

  get violations(): string[] {
    return this.events("violation").map(({ what }) => `arcProxy: ${what}`);
  }

  get pids(): number[] {
    return this.events("started").map(({ pid }) => pid);
  }

  get isRunning(): boolean {
    return this.pids.some((pid) => {
      try {
        return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
      } catch {
        return false;
      }
    });
  }
}

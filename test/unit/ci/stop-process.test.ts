import { spawn } from "node:child_process";
import { once } from "node:events";
import { findProcess, isOurProcess } from "../../../src/ci/process-identity";
import { stopProcess } from "../../../src/ci/stop-process";
import { eventually } from "../../support/eventually";
import { processesOf } from "../../support/fake-runner/processes";
import { ScriptedProcesses } from "../../support/scripted-processes";

describe("ending a process on this machine", () => {
  const start = async (script: string, marker: string) => {
    const child = spawn(process.execPath, ["-e", script, marker], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: process.env["PATH"], STOPPED_BY: marker },
    });
    // `node -e` has the script where a bundle would have the marker: it is what is looked for.
    await once(child.stdout, "data");
    return child;
  };

  it("takes what it has started along, and has ended when it resolves", async () => {
    const script =
      "require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], {stdio: 'ignore'})" +
      ".once('spawn', () => process.stdout.write('up')); setInterval(() => undefined, 1001)";
    const child = await start(script, "tree");
    expect(processesOf("STOPPED_BY=tree")).toHaveLength(2);
    const ended = once(child, "exit");
    expect(await stopProcess(script)).toBe(true);
    await ended;
    await eventually(() => processesOf("STOPPED_BY=tree").length === 0);
  });

  it("kills one that will not hear", async () => {
    const script =
      "process.on('SIGTERM', () => undefined); process.stdout.write('up'); setInterval(() => undefined, 1002)";
    const child = await start(script, "deaf");
    const ended = once(child, "exit");
    expect(await stopProcess(script)).toBe(true);
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  it("is done at once when there is none", async () => {
    expect(await stopProcess("/nowhere/cluster-connect-0123")).toBe(true);
  });
});

describe("ending a process on Windows", () => {
  const marker = "C:\\a b\\_temp\\cluster-connect-0123";

  it("finds it by its last argument, which comes by the environment and not by the command", async () => {
    const windows = new ScriptedProcesses("win32", { "powershell.exe": "4711\r\n" });
    expect(findProcess(marker, windows)).toBe(4711);
    expect(isOurProcess(4711, marker, windows)).toBe(true);
    expect(isOurProcess(4712, marker, windows)).toBe(false);
    expect(windows.ran.flat().join(" ")).not.toContain("cluster-connect-0123");
    expect(windows.environments[0]).toEqual({ CLUSTER_CONNECT_MARKER: marker });
  });

  it("ends the whole tree", async () => {
    let runs = true;
    const taskkill = () => {
      runs = false;
      return "SUCCESS";
    };
    const windows = new ScriptedProcesses(
      "win32",
      { "powershell.exe": "4711", "taskkill.exe": taskkill },
      () => runs,
    );
    expect(await stopProcess(marker, windows)).toBe(true);
    expect(windows.ran.at(-1)).toEqual(["taskkill.exe", "/PID", "4711", "/T", "/F"]);
  });

  it("says so when it lives on", async () => {
    const windows = new ScriptedProcesses(
      "win32",
      { "powershell.exe": "4711", "taskkill.exe": new Error("access denied") },
      () => true,
    );
    expect(await stopProcess(marker, windows)).toBe(false);
  });

  it("kills nothing when there is none, or nothing tells", async () => {
    for (const output of ["", new Error("no PowerShell")]) {
      const windows = new ScriptedProcesses("win32", { "powershell.exe": output });
      expect(await stopProcess(marker, windows)).toBe(true);
      expect(windows.ran).toHaveLength(1);
    }
  });
});

describe("ending a process on macOS", () => {
  const marker = "/var/folders/x/cluster-connect-0123";
  const listed = ` 4711 node /dist/index.js ${marker}\n 4712 grep ${marker} \n 1 launchd\n`;

  it("finds it by the end of its arguments, and signals its group until it is gone", async () => {
    const outputs = [listed, listed, " 1 launchd\n"];
    const mac = new ScriptedProcesses("darwin", { ps: () => outputs.shift() ?? "" });
    expect(await stopProcess(marker, mac)).toBe(true);
    expect(mac.signals).toEqual([[-4711, "SIGTERM"]]);
    expect(mac.ran[0]).toEqual(["ps", "-axww", "-o", "pid=,args="]);
  });
});

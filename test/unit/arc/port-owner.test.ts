import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { ownsPort } from "../../../src/arc/port-owner";
import { freePort } from "../../support/free-port";

const script =
  'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); })';

describe("the process that listens at a port", () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      process.kill(-child.pid!, "SIGKILL");
      await once(child, "exit");
    }
  });
  const start = async (isChild = false): Promise<{ pid: number; port: number }> => {
    const command = [process.execPath, "-e", script];
    const [program = "", ...args] = isChild ? ["sh", "-c", '"$@" & wait', "sh", ...command] : command;
    const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const [line] = (await once(child.stdout!, "data")) as [Buffer];
    return { pid: child.pid!, port: Number(line) };
  };

  it("is known by its group, of which it may be any member", async () => {
    const [one, two] = [await start(), await start(true)];
    expect(ownsPort(one.pid, one.port)).toBe(true);
    expect(ownsPort(two.pid, two.port)).toBe(true);
  });

  it("is told from another one", async () => {
    const [one, two] = [await start(), await start()];
    expect(ownsPort(one.pid, two.port)).toBe(false);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    expect(ownsPort(one.pid, (server.address() as AddressInfo).port)).toBe(false);
    server.close();
  });

  it("is told from another one even where a member of its group has ended and nobody has taken notice", async () => {
    // Of such a one only root may list the descriptors.
    const other = await start();
    const line = `sleep 0 & exec "$@"`;
    const child = spawn("sh", ["-c", line, "sh", process.execPath, "-e", script], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout!, "data");
    expect(ownsPort(child.pid!, other.port)).toBe(false);
  });

  it("cannot be told where nobody listens", async () => {
    expect(ownsPort(process.pid, await freePort())).toBeUndefined();
  });
});

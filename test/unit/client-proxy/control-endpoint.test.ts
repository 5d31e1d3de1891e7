import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { controlAddressFile, controlSecretFile, type ControlStatus } from "../../../src/client-proxy/control";
import { ControlEndpoint, type ControlEndpointOptions } from "../../../src/client-proxy/control-endpoint";
import { createStatistics } from "../../../src/client-proxy/statistics";

const status: ControlStatus = { phase: "connecting", statistics: createStatistics() };

describe("the control endpoint", () => {
  const folders: string[] = [];
  const endpoints: ControlEndpoint[] = [];
  const sockets: Socket[] = [];
  const folder = (name = "control-") => {
    const path = mkdtempSync(join(tmpdir(), name));
    folders.push(path);
    return path;
  };
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const endpoint of endpoints.splice(0)) await endpoint.close();
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  async function start(options: Partial<ControlEndpointOptions> = {}) {
    const instanceDirectory = options.instanceDirectory ?? folder();
    const commands: string[] = [];
    const endpoint = new ControlEndpoint({
      instanceDirectory,
      handle: (command) => {
        commands.push(command);
        return Promise.resolve(status);
      },
      ...options,
    });
    endpoints.push(endpoint);
    await endpoint.start();
    const read = (name: string) => readFileSync(join(instanceDirectory, name), "utf8");
    const address = read(controlAddressFile);
    /** Sends a text; resolves with the answer, empty when the connection was closed without one. */
    const send = async (text: string): Promise<string> => {
      const socket = connect(address).on("error", () => undefined);
      sockets.push(socket);
      let answer = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
      socket.write(text);
      await once(socket, "close");
      return answer;
    };
    const ask = (command: string, secret = read(controlSecretFile)) =>
      send(`${JSON.stringify({ secret, command })}\n`);
    return { endpoint, instanceDirectory, address, commands, send, ask, read };
  }

  it("answers one line with one line", async () => {
    const { ask, commands } = await start();
    for (const command of ["status", "wait", "stop"]) {
      expect(await ask(command)).toBe(`${JSON.stringify(status)}\n`);
    }
    expect(commands).toEqual(["status", "wait", "stop"]);
  });

  it("keeps its secret and its socket to its user", async () => {
    const { instanceDirectory, address, read } = await start();
    for (const name of [controlSecretFile, controlAddressFile]) {
      expect(statSync(join(instanceDirectory, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(address).mode & 0o777).toBe(0o600);
    expect(dirname(address)).toBe(instanceDirectory);
    expect(read(controlSecretFile)).toMatch(/^[0-9a-f]{64}$/);
    expect(read(controlAddressFile)).not.toContain(read(controlSecretFile));
  });

  it("has another secret each time", async () => {
    const [one, other] = [await start(), await start()];
    expect(one.read(controlSecretFile)).not.toBe(other.read(controlSecretFile));
    expect(await one.ask("status", other.read(controlSecretFile))).toBe("");
    expect(one.commands).toEqual([]);
  });

  it.each([
    ["a wrong secret", JSON.stringify({ secret: "0".repeat(64), command: "stop" })],
    ["a secret of another length", JSON.stringify({ secret: "", command: "stop" })],
    ["no secret", JSON.stringify({ command: "stop" })],
    ["no JSON", "stop"],
    ["an unknown command", JSON.stringify({ secret: "SECRET", command: "dump" })],
    ["an unknown key", JSON.stringify({ secret: "SECRET", command: "status", extra: 1 })],
  ])("closes without an answer on %s", async (_, text) => {
    const { send, commands, read } = await start();
    expect(await send(`${text.replace("SECRET", read(controlSecretFile))}\n`)).toBe("");
    expect(commands).toEqual([]);
  });

  it("closes on a line that is too long, however it goes on", async () => {
    const { send, commands } = await start();
    expect(await send("x".repeat(4_097))).toBe("");
    expect(commands).toEqual([]);
  });

  it("gives up on who says nothing", async () => {
    const { send } = await start();
    const started = performance.now();
    expect(await send('{"secret":')).toBe("");
    expect(performance.now() - started).toBeLessThan(7_000);
  });

  it("tells whoever handles a request that its connection is gone", async () => {
    let gone: AbortSignal | undefined;
    const { address, read } = await start({
      handle: (_, closed) => {
        gone = closed;
        return new Promise(() => undefined);
      },
    });
    const socket = connect(address);
    sockets.push(socket);
    socket.write(`${JSON.stringify({ secret: read(controlSecretFile), command: "wait" })}\n`);
    while (gone === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(gone.aborted).toBe(false);
    socket.destroy();
    await once(gone, "abort");
  });

  it("lies elsewhere where the folder's path is too long for a socket, and leaves nothing there", async () => {
    const long = folder(`control-${"x".repeat(100)}-`);
    const { endpoint, address, ask } = await start({ instanceDirectory: long });
    expect(address.startsWith(long)).toBe(false);
    expect(statSync(dirname(address)).mode & 0o777).toBe(0o700);
    expect(await ask("status")).toContain("connecting");
    await endpoint.close();
    expect(existsSync(dirname(address))).toBe(false);
    expect(readdirSync(long)).not.toContain("control.sock");
  });

  it("does not write over what lies in the folder already", async () => {
    const instanceDirectory = folder();
    await start({ instanceDirectory });
    rmSync(join(instanceDirectory, "control.sock"), { force: true });
    await expect(start({ instanceDirectory })).rejects.toMatchObject({ code: "EEXIST" });
  });

  it("is not held open by a peer that keeps its end", async () => {
    const { endpoint, address, read } = await start();
    const socket = connect({ path: address, allowHalfOpen: true });
    sockets.push(socket);
    socket.write(`${JSON.stringify({ secret: read(controlSecretFile), command: "status" })}\n`);
    await once(socket.resume(), "end");
    await endpoint.close();
    socket.write("more");
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/EPIPE|ECONNRESET/);
  });
});

/**
 * The control endpoint: a unix socket in the instance's private folder, or a named pipe on Windows. One line of
 * JSON in, one out; each carries the one-time secret, since a pipe has no folder to hide in.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  controlAddressFile,
  controlRequest,
  controlSecretFile,
  type ControlRequest,
  type ControlStatus,
} from "./control";
import { createPrivateFile } from "./private-file";

const maxRequestBytes = 4_096;
const requestTimeoutMs = 5_000;
const maxConnections = 32;
/** The kernel's bound on a unix socket's path is 108 bytes on Linux and 104 on macOS, the zero at its end included. */
const maxSocketPathBytes = 100;

export interface ControlEndpointOptions {
  readonly instanceDirectory: string;
  readonly handle: (command: ControlRequest["command"], closed: AbortSignal) => Promise<ControlStatus>;
}

export class ControlEndpoint {
  readonly #secret = randomBytes(32).toString("hex");
  readonly #server: Server = createServer((socket) => void this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  #socketDirectory: string | undefined;

  constructor(private readonly options: ControlEndpointOptions) {
    this.#server.maxConnections = maxConnections;
  }

  async start(): Promise<void> {
    const { instanceDirectory } = this.options;
    const address = await this.#chooseAddress();
    this.#server.listen(address);
    await once(this.#server, "listening");
    if (process.platform !== "win32") await chmod(address, 0o600);
    await createPrivateFile(join(instanceDirectory, controlSecretFile), this.#secret);
    // Last, and never half written: whoever waits for the endpoint waits for this file.
    await createPrivateFile(join(instanceDirectory, controlAddressFile), address);
  }

  async close(): Promise<void> {
    this.#server.close();
    // What has been written still goes out; a peer that keeps its end open is not waited for.
    for (const socket of this.#sockets) socket.destroySoon();
    if (this.#socketDirectory !== undefined)
      await rm(this.#socketDirectory, { recursive: true, force: true });
  }

  async #chooseAddress(): Promise<string> {
    if (process.platform === "win32")
      return `\\\\.\\pipe\\cluster-connect-${randomBytes(16).toString("hex")}`;
    const inside = join(this.options.instanceDirectory, "control.sock");
    if (Buffer.byteLength(inside) <= maxSocketPathBytes) return inside;
    const short = await mkdtemp(join(tmpdir(), "cc-"));
    this.#socketDirectory = short;
    return join(short, "control.sock");
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const closed = new AbortController();
    socket.on("close", () => {
      this.#sockets.delete(socket);
      closed.abort(new Error("the connection is closed"));
    });
    socket.on("error", () => socket.destroy());
    try {
      const request = controlRequest.parse(JSON.parse(await readLine(socket)));
      if (!this.#isSecret(request.secret)) return void socket.destroy();
      const status = await this.options.handle(request.command, closed.signal);
      socket.end(`${JSON.stringify(status)}\n`);
    } catch {
      socket.destroy();
    }
  }

  #isSecret(presented: string): boolean {
    const expected = Buffer.from(this.#secret);
    const given = Buffer.from(presented);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** One line of at most `maxRequestBytes`, within `requestTimeoutMs`. */
function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error("no request in time")), requestTimeoutMs);
    socket.setEncoding("utf8");
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("closed"));
    });
    socket.on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end === -1 && text.length <= maxRequestBytes) return;
      clearTimeout(timer);
      if (end === -1) reject(new Error("the request is too long"));
      else resolve(text.slice(0, end));
    });
  });
}

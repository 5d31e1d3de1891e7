import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly payload: Buffer;
}

export interface MaskedFrame {
  readonly fin?: boolean;
  /** Four bytes, in hex; default zeroes. */
  readonly mask?: string;
}

/** A client's frame. */
export function maskedFrame(opcode: number, payload: Buffer | string, options: MaskedFrame = {}): Buffer {
  const body = Buffer.from(payload);
  const mask = Buffer.from(options.mask ?? "00000000", "hex");
  const extended = Buffer.alloc(body.length > 65_535 ? 8 : body.length > 125 ? 2 : 0);
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(body.length));
  if (extended.length === 2) extended.writeUInt16BE(body.length);
  const short = extended.length === 8 ? 127 : extended.length === 2 ? 126 : body.length;
  const first = (options.fin === false ? 0 : 0x80) | opcode;
  for (let index = 0; index < body.length; index += 1) body[index]! ^= mask[index % 4]!;
  return Buffer.concat([Buffer.from([first, 0x80 | short]), extended, mask, body]);
}

export function closePayload(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

export interface RawOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** `Sec-WebSocket-Key`; default: a random one. */
  readonly key?: string;
  readonly tls?: ConnectionOptions;
}

/** A WebSocket client made of a bare socket: it sends what it is told, answers nothing, and shows every frame. */
export class RawWebSocket {
  /** The answer to the handshake; rejects when the connection is gone before. */
  readonly answer: Promise<Answer>;
  receivedBytes = 0;
  /** How the connection ended, once it has. */
  end: "open" | "ended" | "reset" = "open";
  #buffer = Buffer.alloc(0);
  #isOpen = false;
  #wake: () => void = () => undefined;

  constructor(
    readonly socket: Socket,
    url: URL,
    options: RawOptions,
  ) {
    let resolve: (answer: Answer) => void = () => undefined;
    let reject: (error: Error) => void = () => undefined;
    this.answer = new Promise((...settle) => ([resolve, reject] = settle));
    this.answer.catch(() => undefined);
    socket.on("data", (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      if (!this.#isOpen) this.#takeAnswer(resolve);
      this.#wake();
    });
    const over = (end: "ended" | "reset") => {
      if (this.end === "open") this.end = end;
      reject(new Error(`the connection ${end} before an answer`));
      this.#wake();
    };
    socket.on("end", () => over("ended"));
    socket.on("error", () => over("reset"));
    socket.on("close", () => over("ended"));
    const lines = Object.entries({
      Host: url.host,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": options.key ?? randomBytes(16).toString("base64"),
      ...options.headers,
    }).map(([name, value]) => `${name}: ${value}`);
    socket.write([`GET ${url.pathname}${url.search} HTTP/1.1`, ...lines, "", ""].join("\r\n"), "latin1");
  }

  /** Connects and sends the handshake; does not wait for its answer. */
  static async dial(address: URL | string, options: RawOptions = {}): Promise<RawWebSocket> {
    const url = new URL(address);
    const isSecure = url.protocol === "wss:" || url.protocol === "https:";
    const port = Number(url.port);
    const target = { port, host: url.hostname, allowHalfOpen: true };
    const socket = isSecure ? connectTls({ ...target, ...options.tls }) : connectTcp(target);
    await once(socket, isSecure ? "secureConnect" : "connect");
    socket.setNoDelay(true);
    return new RawWebSocket(socket, url, options);
  }

  /** Connects and waits for the 101. */
  static async open(address: URL | string, options: RawOptions = {}): Promise<RawWebSocket> {
    const raw = await RawWebSocket.dial(address, options);
    const { status, reason } = await raw.answer;
    if (status !== 101) throw new Error(`refused with ${status} ${reason}`);
    return raw;
  }

  send(opcode: number, payload: Buffer | string, options?: MaskedFrame): void {
    this.socket.write(maskedFrame(opcode, payload, options));
  }

  close(code: number, reason?: string): void {
    this.send(8, closePayload(code, reason));
  }

  /** The next whole frame, or how the connection ended when none will come. */
  async next(): Promise<Frame | "ended" | "reset"> {
    for (;;) {
      const frame = this.#isOpen ? this.#takeFrame() : undefined;
      if (frame !== undefined) return frame;
      if (this.end !== "open") return this.end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The next frame as `opcode:payload`, a Close as `close:code:reason`, the end of the connection as its kind. */
  async read(): Promise<string> {
    const frame = await this.next();
    if (typeof frame === "string") return frame;
    if (frame.opcode !== 8) return `${frame.opcode}:${frame.payload.toString()}`;
    if (frame.payload.length === 0) return "close";
    return `close:${frame.payload.readUInt16BE(0)}:${frame.payload.subarray(2).toString()}`;
  }

  #takeAnswer(resolve: (answer: Answer) => void): void {
    const end = this.#buffer.indexOf("\r\n\r\n");
    if (end === -1) return;
    const [first = "", ...rest] = this.#buffer.subarray(0, end).toString("latin1").split("\r\n");
    const [, status = "", reason = ""] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(first) ?? [];
    const headers = Object.fromEntries(
      rest.map((line) => [line.split(":")[0]!.toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    this.#buffer = this.#buffer.subarray(end + 4);
    this.#isOpen = Number(status) === 101;
    resolve({ status: Number(status), reason, headers });
  }

  #takeFrame(): Frame | undefined {
    const bytes = this.#buffer;
    if (bytes.length < 2) return undefined;
    const short = bytes[1]! & 0x7f;
    const at = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < at) return undefined;
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < at + length) return undefined;
    this.#buffer = bytes.subarray(at + length);
    return {
      fin: (bytes[0]! & 0x80) !== 0,
      opcode: bytes[0]! & 0x0f,
      isMasked: (bytes[1]! & 0x80) !== 0,
      payload: bytes.subarray(at, at + length),
    };
  }
}

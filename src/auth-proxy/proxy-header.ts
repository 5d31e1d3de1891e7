/**
 * The PROXY protocol v2 header that the agent writes at the head of each connection: command LOCAL, one TLV of
 * type 0xE0 whose value is `<session id>/<stream id>`. It serves logs and audit extras, never a decision.
 *
 *      0            12        13       14          16
 *      ┌────────────┬─────────┬────────┬───────────┬──────────────────────────────
 *      │ signature  │ 0x20    │ 0x00   │ length    │ 0xE0, u16 length, value, …
 *      └────────────┴─────────┴────────┴───────────┴──────────────────────────────
 */
import type { Socket } from "node:net";

export interface StreamOrigin {
  readonly sessionId?: string;
  readonly streamId?: string;
}

export interface ProxyHeaderLimits {
  readonly proxyHeaderBytes: number;
  readonly proxyHeaderTimeoutMs: number;
}

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const fixedLength = 16;
const correlationTlv = 0xe0;
const correlation = /^([\w-]{1,64})\/(\d{1,10})$/;

/**
 * Parses the header at the start of `bytes`. Returns undefined while it is incomplete; throws when it is none.
 * `length` is how many bytes it took.
 */
export function parseProxyHeader(
  bytes: Buffer,
  maxBytes: number,
): { origin: StreamOrigin; length: number } | undefined {
  const known = bytes.subarray(0, signature.length);
  if (!known.equals(signature.subarray(0, known.length))) throw new Error("no PROXY v2 signature");
  if (bytes.length < fixedLength) return undefined;
  // 0x20: version 2, LOCAL. PROXY (0x21) would claim an address, and an address must not come from the wire.
  if (bytes[12] !== 0x20 || bytes[13] !== 0) throw new Error("not a PROXY v2 header with command LOCAL");
  const length = fixedLength + bytes.readUInt16BE(14);
  if (length > maxBytes) throw new Error(`PROXY header longer than ${String(maxBytes)} bytes`);
  if (bytes.length < length) return undefined;
  return { origin: readOrigin(bytes.subarray(fixedLength, length)), length };
}

function readOrigin(tlvs: Buffer): StreamOrigin {
  for (let at = 0; at < tlvs.length;) {
    if (at + 3 > tlvs.length) throw new Error("truncated TLV");
    const end = at + 3 + tlvs.readUInt16BE(at + 1);
    if (end > tlvs.length) throw new Error("truncated TLV");
    if (tlvs[at] === correlationTlv) {
      const [, sessionId, streamId] = correlation.exec(tlvs.toString("latin1", at + 3, end)) ?? [];
      // Of another form: the request is served, its log line lacks the ids.
      return sessionId === undefined || streamId === undefined ? {} : { sessionId, streamId };
    }
    at = end;
  }
  return {};
}

/**
 * Takes the header off a fresh, paused socket and puts what follows back, so that TLS can begin on the socket
 * itself. Rejects, for the caller to destroy the socket, when the header is wrong, late or too long.
 */
export function readProxyHeader(socket: Socket, limits: ProxyHeaderLimits): Promise<StreamOrigin> {
  return new Promise((resolve, reject) => {
    let collected: Buffer = Buffer.alloc(0);
    const settle = (result: () => void) => {
      clearTimeout(timer);
      socket.off("readable", onReadable).off("end", onClose).off("close", onClose).off("error", onClose);
      result();
    };
    const fail = (reason: string) => settle(() => reject(new Error(reason)));
    const timer = setTimeout(() => fail("PROXY header not received in time"), limits.proxyHeaderTimeoutMs);
    const onClose = () => fail("closed before the PROXY header");
    const onReadable = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      collected = Buffer.concat([collected, chunk]);
      try {
        const parsed = parseProxyHeader(collected, limits.proxyHeaderBytes);
        if (parsed === undefined) return;
        if (collected.length > parsed.length) socket.unshift(collected.subarray(parsed.length));
        settle(() => resolve(parsed.origin));
      } catch (error) {
        settle(() => reject(error as Error));
      }
    };
    socket.on("readable", onReadable).on("end", onClose).on("close", onClose).on("error", onClose);
  });
}

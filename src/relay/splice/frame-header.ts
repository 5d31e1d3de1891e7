/** Frame headers of RFC 6455 §5.2, as far as a relay looks into them. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const knownOpcodes: ReadonlySet<number> = new Set(Object.values(opcodes));

/** The longest header: 2 bytes, 8 of length, 4 of mask key. */
export const maxHeaderBytes = 14;
export const maxControlPayloadBytes = 125;

export const isControl = (opcode: number): boolean => opcode >= 8;

export interface FrameHeader {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payloadBytes: number;
  readonly maskKey: Buffer;
  readonly isMasked: boolean;
}

/** Bytes that the header beginning with these two will have. */
export function headerBytes(second: number): number {
  const length = second & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}

/** Parses a complete header of a client's frame; a text says why the frame is not allowed. */
export function parseHeader(bytes: Buffer): FrameHeader | string {
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  const opcode = first & 0x0f;
  if ((first & 0x70) !== 0) return "a reserved bit is set without an extension";
  if (!knownOpcodes.has(opcode)) return "unknown opcode";
  if ((second & 0x80) === 0) return "a client's frame is not masked";
  const short = second & 0x7f;
  if (isControl(opcode) && (short > maxControlPayloadBytes || (first & 0x80) === 0)) {
    return "a control frame is fragmented or too long";
  }
  if (opcode === opcodes.close && short === 1) return "a close frame holds half a code";
  const length =
    short === 127 ? bytes.readBigUInt64BE(2) : BigInt(short === 126 ? bytes.readUInt16BE(2) : short);
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) return "a frame's length is out of range";
  const maskKey = Buffer.from(bytes.subarray(bytes.length - 4));
  return {
    fin: (first & 0x80) !== 0,
    opcode,
    payloadBytes: Number(length),
    maskKey,
    isMasked: maskKey.readUInt32LE(0) !== 0,
  };
}

/** A server's frame, which is never masked, with its whole payload. */
export function encodeControlFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}

export function encodeClose(code: number, reason: string): Buffer {
  const text = Buffer.from(reason, "utf8").subarray(0, maxControlPayloadBytes - 2);
  const payload = Buffer.alloc(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return encodeControlFrame(opcodes.close, payload);
}

/**
 * PROXY protocol v2 (haproxy's proxy-protocol.txt §2.2): command LOCAL, so no address is claimed, and one TLV of the
 * private type 0xE0 that holds `<session id>/<stream id>`. It lets logs on both sides of the socket be joined.
 */
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const versionAndLocal = 0x20;
const unspecifiedFamily = 0x00;
const correlationTlv = 0xe0;

export function encodeProxyHeader(sessionId: string, streamId: number): Buffer {
  const value = Buffer.from(`${sessionId}/${String(streamId)}`, "latin1");
  const header = Buffer.alloc(signature.length + 4 + 3 + value.length);
  signature.copy(header);
  header.writeUInt8(versionAndLocal, 12);
  header.writeUInt8(unspecifiedFamily, 13);
  header.writeUInt16BE(3 + value.length, 14);
  header.writeUInt8(correlationTlv, 16);
  header.writeUInt16BE(value.length, 17);
  value.copy(header, 19);
  return header;
}

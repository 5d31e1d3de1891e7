/**
 * Removes a WebSocket mask (RFC 6455 §5.3) in place. `phase` is the number of payload bytes of the frame that came
 * before `bytes`; `key` is read as four bytes in the order of the wire.
 */
export function unmask(bytes: Buffer, key: Buffer, phase: number): void {
  let index = 0;
  const end = bytes.length;
  while (index < end && (bytes.byteOffset + index) % 4 !== 0) xorByte(bytes, key, phase, index++);
  const words = (end - index) >> 2;
  if (words > 0) {
    const rotated = Buffer.from([0, 1, 2, 3].map((offset) => key[(phase + index + offset) & 3] ?? 0));
    const mask = new Uint32Array(rotated.buffer.slice(rotated.byteOffset, rotated.byteOffset + 4))[0] ?? 0;
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset + index, words);
    for (let word = 0; word < words; word += 1) view[word] = (view[word] ?? 0) ^ mask;
    index += words * 4;
  }
  while (index < end) xorByte(bytes, key, phase, index++);
}

function xorByte(bytes: Buffer, key: Buffer, phase: number, index: number): void {
  bytes[index] = (bytes[index] ?? 0) ^ (key[(phase + index) & 3] ?? 0);
}

/**
 * Watches the records of one direction of a TLS connection (RFC 8446 §5.1), without any key, for how it ends: a peer
 * that ends in order says so in an alert, close_notify, before it closes the connection.
 */
const headerBytes = 5;
const alert = 21;
const applicationData = 23;
/** TLS 1.3 shows an alert as application data: two bytes, one for what they are, and the cipher's tag of 16. */
const hiddenAlertBytes = 19;

export class TlsEnd {
  #header: number[] = [];
  /** Of the record that is passing. */
  #left = 0;
  #isAlert = false;

  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
      } else {
        this.#header.push(chunk[at] ?? 0);
        at += 1;
        if (this.#header.length === headerBytes) this.#begin();
      }
    }
  }

  /**
   * Whether the last that has passed was an alert, whole. One of two bytes of data looks like it, and is then taken
   * for an end by us but by no TLS client.
   */
  get isInOrder(): boolean {
    return this.#isAlert && this.#left === 0 && this.#header.length === 0;
  }

  #begin(): void {
    const [type = 0, , , high = 0, low = 0] = this.#header;
    this.#header = [];
    this.#left = high * 256 + low;
    this.#isAlert = type === alert || (type === applicationData && this.#left === hiddenAlertBytes);
  }
}

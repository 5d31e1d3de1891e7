/** A gesture that the relay refuses, with the status that tells why. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    /** One sentence without a full stop, which the far end sees in the status line. */
    readonly sentence: string,
    /** A word for metrics and logs. */
    readonly kind: string,
  ) {
    super(sentence);
  }
}

import { Renewing, type RenewingOptions } from "./renewing";
import type { Token } from "./token-source";

/** Keeps one token current. */
export class RenewingToken extends Renewing<Token> {
  constructor(options: Omit<RenewingOptions<Token>, "isSame">) {
    super({ ...options, isSame: (one, other) => one.value === other.value });
  }
}

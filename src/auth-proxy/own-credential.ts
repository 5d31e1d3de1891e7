import { readFileSync } from "node:fs";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { ApiserverTarget } from "./apiserver-target";

/**
 * The auth proxy's own credential at the apiserver. Kubernetes replaces a mounted service-account token well
 * before it expires; it is read again once a minute, and at once when the apiserver has refused it.
 */
export class OwnCredential {
  #token: string | undefined;
  #readAt = -Infinity;

  /** Throws ERR_APISERVER_SETTINGS when the file cannot be read now: later failures keep the last token. */
  constructor(
    private readonly target: Pick<ApiserverTarget, "token" | "tokenFile">,
    private readonly options: { readonly refreshMs: number; readonly logger: Logger },
  ) {
    this.#token = target.tokenFile === undefined ? target.token : this.#read(target.tokenFile);
  }

  /** The value of `Authorization`, or undefined with a client certificate. */
  authorization(): string | undefined {
    if (performance.now() - this.#readAt >= this.options.refreshMs) this.reread(undefined);
    return this.#authorization;
  }

  get #authorization(): string | undefined {
    return this.#token === undefined ? undefined : `Bearer ${this.#token}`;
  }

  /** Reads the file again. True when `authorization()` differs from the one that a request was sent with. */
  reread(usedAuthorization: string | undefined): boolean {
    try {
      if (this.target.tokenFile !== undefined) this.#token = this.#read(this.target.tokenFile);
    } catch (error) {
      this.options.logger.warn("own_token.unreadable", { reason: messageOf(error) });
    }
    return this.#authorization !== usedAuthorization;
  }

  #read(path: string): string {
    this.#readAt = performance.now();
    try {
      const token = readFileSync(path, "utf8").trim();
      if (/^[\x21-\x7e]+$/.test(token)) return token;
      throw new Error(`${path} holds no token`);
    } catch (error) {
      throw new ClusterConnectError("ERR_APISERVER_SETTINGS", messageOf(error), { cause: error });
    }
  }
}

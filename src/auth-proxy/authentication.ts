/** Who a caller is, by the AuthenticationConfiguration as it stands: taken up again when it changes on disk. */
import { readFileSync } from "node:fs";
import {
  authenticationConfiguration,
  type AuthenticationConfiguration,
} from "../identity/configuration/settings";
import { createTokenVerifier, type TokenVerifier, type VerifiedToken } from "../identity/token-verifier";
import { ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { startReloading } from "../runtime/reloading";
import { loadSettings } from "../runtime/settings";
import type { AuthProxyMetrics } from "./metrics";
import { authProxySettings, type AuthProxySettings } from "./settings";

export interface AuthenticationOptions {
  /** The process's own configuration file; undefined where settings did not come from one. */
  readonly config: string | undefined;
  readonly metrics: AuthProxyMetrics;
  readonly logger: Logger;
}

/** A caller, and what vouches for him; nobody does for an anonymous one. */
export type Authenticated = Pick<VerifiedToken, "identity" | "issuer" | "claims" | "expiresAtMs">;

export class Authentication {
  readonly #verifier: TokenVerifier;
  readonly #stop: () => void;
  #anonymous: AuthenticationConfiguration["anonymous"];

  /** Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
  constructor(settings: AuthProxySettings, { config, metrics, logger }: AuthenticationOptions) {
    const { jwt, anonymous } = configurationOf(settings);
    const { tokenLimits: limits, impersonation: policy } = settings;
    this.#anonymous = anonymous;
    this.#verifier = createTokenVerifier(jwt, { limits, policy, logger });
    const inFile = "file" in settings.authentication ? [settings.authentication.file] : [];
    const files = config === undefined ? inFile : [config, ...inFile];
    this.#stop = startReloading({
      name: "authentication",
      read: () => files.map((file) => readFileSync(file, "utf8")).join("\0"),
      apply: () => this.#takeUp(config === undefined ? settings : loadSettings(config, authProxySettings)),
      everyMs: settings.limits.configurationCheckMs,
      logger,
      onOutcome: (succeeded) => metrics.configurationReloaded(succeeded),
    });
  }

  verify(token: string): Promise<Authenticated> {
    return this.#verifier.verify(token);
  }

  /** For a request without any credential. Throws ERR_AUTH_PROXY_NO_CREDENTIAL unless its path may be asked for so. */
  anonymous(target: string): Authenticated {
    const [path] = target.split("?", 1);
    const { enabled = false, conditions = [] } = this.#anonymous ?? {};
    const isOpen = conditions.length === 0 || conditions.some((condition) => condition.path === path);
    if (!enabled || !isOpen) throw new ClusterConnectError("ERR_AUTH_PROXY_NO_CREDENTIAL");
    const identity = { username: "system:anonymous", groups: ["system:unauthenticated"], extra: {} };
    return { identity, issuer: "", claims: {}, expiresAtMs: Infinity };
  }

  close(): void {
    this.#stop();
    this.#verifier.close();
  }

  /** Of changed settings, the authentication alone; everything else waits for a restart. */
  #takeUp(settings: AuthProxySettings): void {
    const { jwt, anonymous } = configurationOf(settings);
    this.#verifier.replace(jwt);
    this.#anonymous = anonymous;
  }
}

function configurationOf({ authentication }: AuthProxySettings): AuthenticationConfiguration {
  return "file" in authentication
    ? loadSettings(authentication.file, authenticationConfiguration)
    : authentication;
}

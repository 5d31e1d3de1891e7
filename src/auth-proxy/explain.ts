/** `cluster-connect auth-proxy explain`: who a token is here, or why nobody, before any request is made with it. */
import { readFileSync } from "node:fs";
import { decodeJwt } from "jose";
import type { Identity } from "../identity/identity";
import { ClusterConnectError, errorRegistry, messageOf } from "../runtime/errors";
import { silentLogger } from "../runtime/logger";
import { loadSettings } from "../runtime/settings";
import { admitCaller } from "./admission";
import { Authentication } from "./authentication";
import { createMetrics } from "./metrics";
import { authProxySettings, type AuthProxySettings } from "./settings";

export interface ExplainOptions {
  readonly config: string;
  readonly tokenFile: string;
}

export interface Explanation {
  readonly admitted: boolean;
  /** What let it in: the entry of jwt[] with this issuer, or passThrough. */
  readonly by?: "authentication.jwt" | "passThrough";
  /** Whom a request runs as. Of a token that is passed through only the apiserver knows it. */
  readonly identity?: Identity;
  /** ISO 8601; absent for a token that never expires. */
  readonly expiresAt?: string;
  readonly refusal?: { readonly code: string; readonly message: string; readonly remedy: string };
  /** What the token says of itself; nothing of it is true because of that. */
  readonly says: Readonly<Record<string, unknown>>;
}

const shownClaims = ["iss", "aud", "sub", "exp"] as const;

/** Decides as the auth proxy would, without an apiserver. Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
export async function explainToken(options: ExplainOptions): Promise<Explanation> {
  const settings = loadSettings(options.config, authProxySettings);
  const token = readToken(options.tokenFile);
  const says = claimsOf(token);
  const authentication = new Authentication(settings, {
    config: undefined,
    metrics: createMetrics(),
    logger: silentLogger,
  });
  try {
    return { says, ...(await decide(token, settings, authentication)) };
  } catch (error) {
    if (!(error instanceof ClusterConnectError)) throw error;
    const { code, message } = error;
    return { admitted: false, refusal: { code, message, remedy: errorRegistry[code].remedy }, says };
  } finally {
    authentication.close();
  }
}

async function decide(
  token: string,
  settings: AuthProxySettings,
  authentication: Authentication,
): Promise<Omit<Explanation, "says">> {
  const review = () => Promise.reject(new Error("nobody is impersonated here"));
  const request = { method: "GET", target: "/", lines: [], origin: {} };
  const { principal, expiresAtMs } = await admitCaller(token, request, { settings, authentication, review });
  const expires = expiresAtMs === Infinity ? {} : { expiresAt: new Date(expiresAtMs).toISOString() };
  return principal.kind === "passed-through"
    ? { admitted: true, by: "passThrough", ...expires }
    : { admitted: true, by: "authentication.jwt", identity: principal.identity, ...expires };
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const claims = decodeJwt(token);
    return Object.fromEntries(
      shownClaims.filter((name) => name in claims).map((name) => [name, claims[name]]),
    );
  } catch {
    return {};
  }
}

/** For people. The token itself is never shown. */
export function explanationText({ by, identity, expiresAt, refusal, says }: Explanation): string {
  const lines = [`the token says: ${JSON.stringify(says)}`];
  if (refusal !== undefined) {
    lines.push(`refused: ${refusal.message} (${refusal.code})`, `what to do: ${refusal.remedy}`);
    return `${lines.join("\n")}\n`;
  }
  if (identity === undefined) {
    lines.push(`admitted by ${by ?? ""}: it goes on as it is, and the apiserver decides who it is`);
  } else {
    lines.push(`admitted by ${by ?? ""}, as`, ...identityLines(identity));
  }
  if (expiresAt !== undefined) lines.push(`until ${expiresAt}`);
  return `${lines.join("\n")}\n`;
}

const identityLines = ({ username, groups, uid, extra }: Identity): string[] => [
  `  user    ${JSON.stringify(username)}`,
  ...groups.map((group) => `  group   ${JSON.stringify(group)}`),
  ...(uid === undefined ? [] : [`  uid     ${JSON.stringify(uid)}`]),
  ...Object.entries(extra).map(
    ([key, values]) => `  extra   ${key} = ${values.map((value) => JSON.stringify(value)).join(", ")}`,
  ),
];

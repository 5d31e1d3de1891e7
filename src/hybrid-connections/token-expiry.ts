import { isSasToken, parseSasToken } from "./sas-token";

/**
 * When a credential of our own ends, in milliseconds since the epoch, as far as it says so itself. Nothing is verified:
 * this is for renewing in time, not for deciding about somebody else's token.
 */
export function expiryOf(authorization: string): number | undefined {
  if (isSasToken(authorization)) return parseSasToken(authorization)?.expiresAtMs;
  try {
    const payload = Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString("utf8");
    const { exp } = JSON.parse(payload) as { exp?: unknown };
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

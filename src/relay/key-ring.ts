/** The shared keys of every cluster, and the shared access signatures made with them. */
import { readFileSync } from "node:fs";
import { coversPath, isSignedBy, parseSasToken } from "../hybrid-connections/sas-token";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Admission, Right } from "./admission";
import { Refusal } from "./refusal";
import type { ClusterSettings, RelaySettings } from "./settings";

/** Keys by name; a name may have two, so that one can be replaced while the other is still in use. */
type Keys = ReadonlyMap<string, readonly string[]>;

export class KeyRing {
  readonly #hosts: readonly string[];
  readonly #byCluster: ReadonlyMap<string, Readonly<Record<Right, Keys>>>;

  /** Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
  constructor(settings: RelaySettings) {
    this.#hosts = [new URL(settings.publicUrl).hostname];
    this.#byCluster = new Map(
      settings.clusters.map(({ name, agents, clients }) => [
        name,
        { listen: readKeys(agents.keys), send: readKeys(clients.keys) },
      ]),
    );
  }

  /** Throws a Refusal unless the signature is good, has not expired, covers `path` and its key has the right. */
  admit(right: Right, cluster: ClusterSettings, path: string, authorization: string): Admission {
    const token = parseSasToken(authorization);
    if (token === undefined) throw new Refusal(401, "The token is malformed", "token_malformed");
    const keys = this.#byCluster.get(cluster.name);
    const signingKey = (wanted: Right) =>
      keys?.[wanted].get(token.keyName)?.find((candidate) => isSignedBy(token, candidate));
    const key = signingKey(right);
    if (key === undefined && signingKey(right === "listen" ? "send" : "listen") === undefined) {
      throw new Refusal(401, "The token has an invalid signature", "token_signature");
    }
    const who = `key ${token.keyName}`;
    if (token.expiresAtMs <= Date.now()) {
      throw new Refusal(401, "The token has expired", "token_expired", { who });
    }
    if (!coversPath(token, this.#hosts, path)) {
      throw new Refusal(
        403,
        "The token is for another endpoint",
        "token_audience",
        { who },
        "ERR_TOKEN_AUDIENCE",
      );
    }
    if (key === undefined) {
      throw new Refusal(403, `The token's key may not ${right} here`, "right_missing", { who });
    }
    const rule = `${right === "listen" ? "agents" : "clients"}.keys ${token.keyName}`;
    const identity = `${cluster.name} ${who}`;
    const basis = { kind: "key", name: token.keyName, key } as const;
    const { expiresAtMs } = token;
    return { right, cluster: cluster.name, who, identity, expiresAtMs, rule, claims: {}, basis };
  }

  /** Whether a cluster still has this very key, by this name and with this right. */
  has(right: Right, cluster: string, name: string, key: string): boolean {
    return this.#byCluster.get(cluster)?.[right].get(name)?.includes(key) === true;
  }
}

function readKeys(entries: ClusterSettings["agents"]["keys"]): Keys {
  const keys = new Map<string, string[]>();
  for (const { name, keyFile } of entries) keys.set(name, [...(keys.get(name) ?? []), readKeyFile(keyFile)]);
  return keys;
}

/** Azure's own keys have 32 bytes, 44 characters of base64; a short one could be guessed. */
const leastKeyCharacters = 32;

/** A shared key: the file's text without blanks around it. */
function readKeyFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
  if (text.length < leastKeyCharacters) {
    const least = String(leastKeyCharacters);
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `${path}: a key has at least ${least} characters`);
  }
  return text;
}

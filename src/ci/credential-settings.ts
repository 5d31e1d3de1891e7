/** Whose tokens are shown to relay and cluster, from the inputs; what contradicts itself goes into `problems`. */
import { withoutTrailingSlashes } from "../runtime/trailing-slashes";
import { parseAudience, parseBoolean, parseOrigin, parseScope, parseToken } from "./parse-input";
import type { InputReader } from "./input-reader";
import type { EntraLogin } from "./platform";

/** One side's: a shared access key, a token of the CI system, or one of Microsoft Entra. */
export type SideCredential =
  { readonly kind: "token"; readonly audience: string } | { readonly kind: "entra"; readonly scope: string };

export interface GivenToken {
  readonly kind: "given";
  readonly token: string;
}

export interface CredentialSettings {
  readonly relay: SideCredential | { readonly kind: "key"; readonly name: string; readonly key: string };
  /** `given`: a token of the cluster's own, such as a service account's, which its auth proxy passes through. */
  readonly cluster: SideCredential | GivenToken;
  readonly entra: EntraLogin | undefined;
  readonly serviceConnection: string | undefined;
  readonly allowSharedToken: boolean;
}

export function readCredentialSettings(
  reader: InputReader,
  defaults: { readonly relayAudience: string; readonly clusterAudience: string },
): CredentialSettings {
  const entra = readEntraLogin(reader);
  const key = readKey(reader);
  const given = readGivenToken(reader);
  const own = { key, given };
  const sides = entra === undefined ? readAudiences(reader, own, defaults) : readScopes(reader, own);
  const serviceConnection = reader.text("service-connection") || undefined;
  const allowSharedToken = reader.parse("allow-shared-token", parseBoolean) ?? false;
  if (entra !== undefined && serviceConnection !== undefined) {
    reader.problem("service-connection has no sense beside azure-subscription");
  }
  if (allowSharedToken && [entra, key, given].some((other) => other !== undefined)) {
    reader.problem(
      "allow-shared-token has no sense beside azure-subscription, relay-key or token: no token is shared",
    );
  }
  return { ...sides, entra, serviceConnection, allowSharedToken };
}

type Key = Extract<CredentialSettings["relay"], { kind: "key" }>;
type Sides = Pick<CredentialSettings, "relay" | "cluster">;

export function readEntraLogin(reader: InputReader): EntraLogin | undefined {
  const id = reader.text("azure-subscription");
  if (id !== "") return { kind: "service-connection", id };
  const clientId = reader.text("client-id");
  const tenantId = reader.text("tenant-id");
  if ((clientId === "") !== (tenantId === "")) reader.problem("client-id and tenant-id belong together");
  if (clientId === "" || tenantId === "") return undefined;
  const authority = reader.parse("entra-authority", parseOrigin)?.origin ?? "";
  return { kind: "application", clientId, tenantId, authority };
}

function readKey(reader: InputReader): Key | undefined {
  const name = reader.text("relay-key-name");
  const key = reader.text("relay-key");
  if ((name === "") !== (key === "")) reader.problem("relay-key-name and relay-key belong together");
  if (key !== "") {
    for (const other of ["relay-audience", "relay-scope"] as const) {
      if (reader.text(other) !== "") {
        reader.problem(`${other} has no sense beside relay-key: no token is shown to the relay`);
      }
    }
  }
  return name === "" || key === "" ? undefined : { kind: "key", name, key };
}

function readGivenToken(reader: InputReader): GivenToken | undefined {
  const token = reader.parse("token", parseToken);
  if (reader.text("token") === "") return undefined;
  for (const other of ["cluster-audience", "cluster-scope"] as const) {
    if (reader.text(other) !== "") {
      reader.problem(`${other} has no sense beside token: no other is shown to the cluster`);
    }
  }
  return { kind: "given", token: token ?? "" };
}

/** What the job brings instead of asking for it. */
interface OwnCredentials {
  readonly key: Key | undefined;
  readonly given: GivenToken | undefined;
}

function readAudiences(
  reader: InputReader,
  { key, given }: OwnCredentials,
  defaults: { readonly relayAudience: string; readonly clusterAudience: string },
): Sides {
  for (const scope of ["relay-scope", "cluster-scope"] as const) {
    if (reader.text(scope) !== "") {
      const login = reader.has("client-id") ? "client-id and tenant-id" : "azure-subscription";
      reader.problem(`${scope} has no sense without ${login}`);
    }
  }
  const relay = reader.parse("relay-audience", parseAudience) ?? defaults.relayAudience;
  const cluster = reader.parse("cluster-audience", parseAudience) ?? defaults.clusterAudience;
  if (key === undefined && given === undefined && relay === cluster) {
    reader.problem(
      "relay-audience and cluster-audience must differ: the relay could use its token at the cluster",
    );
  }
  return {
    relay: key ?? { kind: "token", audience: relay },
    cluster: given ?? { kind: "token", audience: cluster },
  };
}

function readScopes(reader: InputReader, { key, given }: OwnCredentials): Sides {
  for (const audience of ["relay-audience", "cluster-audience"] as const) {
    if (reader.text(audience) !== "") {
      reader.problem(
        `${audience} has no sense beside client-id: Microsoft Entra takes the audience from the scope`,
      );
    }
  }
  const relay = reader.parse("relay-scope", parseScope) ?? "";
  const cluster = reader.parse("cluster-scope", parseScope) ?? "";
  if (given === undefined && reader.text("cluster-scope") === "") {
    reader.problem("cluster-scope is required for Microsoft Entra, or a token");
  }
  if (key === undefined && reader.text("relay-scope") === "") {
    reader.problem("relay-scope is required for Microsoft Entra, or a relay-key");
  }
  if (key === undefined && relay !== "" && resourceOf(relay) === resourceOf(cluster)) {
    reader.problem("relay-scope and cluster-scope must differ: the relay could use its token at the cluster");
  }
  return {
    relay: key ?? { kind: "entra", scope: relay },
    cluster: given ?? { kind: "entra", scope: cluster },
  };
}

/** What becomes the audience: `api://GUID` and `GUID` are one application. */
function resourceOf(scope: string): string {
  const lower = scope.toLowerCase();
  const isDefault = lower.endsWith("/.default");
  const resource = isDefault ? withoutTrailingSlashes(lower.slice(0, -".default".length)) : lower;
  return resource.replace(/^api:\/\/(?=[0-9a-f-]{36}$)/, "");
}

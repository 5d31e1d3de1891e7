/** The inputs of a way through Azure Arc. */
import { clouds, type CloudName } from "../arc/cloud";
import { readEntraLogin } from "./credential-settings";
import type { InputReader } from "./input-reader";
import type { InputName } from "./inputs";
import {
  parseCloud,
  parseDigest,
  parseGuid,
  parseOrigin,
  parseResourceGroup,
  parseToken,
} from "./parse-input";
import type { EntraLogin } from "./platform";

export interface ArcSettings {
  readonly kind: "arc";
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** A name of `clouds`, or the address of an ARM endpoint. */
  readonly cloud: string;
  readonly login: EntraLogin;
  /** The application's own credential, instead of the job's identity. */
  readonly own:
    | { readonly kind: "secret"; readonly secret: string }
    | { readonly kind: "certificate"; readonly pem: string }
    | undefined;
  /** A service account's token, as whom to come instead of as the application. */
  readonly token: string | undefined;
  readonly arcProxy: {
    readonly path: string | undefined;
    readonly digest: string | undefined;
    readonly registry: URL | undefined;
  };
}

/** Inputs that mean nothing on the way through a relay. */
export const arcAlone: readonly InputName[] = [
  "cloud",
  "client-secret",
  "client-certificate",
  "arc-proxy-path",
  "arc-proxy-digest",
  "arc-proxy-registry",
];
const relayAlone: readonly InputName[] = [
  "relay-ca",
  "cluster-ca",
  "relay-audience",
  "cluster-audience",
  "relay-scope",
  "cluster-scope",
  "relay-key-name",
  "relay-key",
  "service-connection",
];

export function readArcSettings(reader: InputReader, clusterName: string): ArcSettings {
  reader.refuse(relayAlone, "beside subscription-id: it is a relay's");
  if (clusterName.includes("/")) reader.problem("cluster-name of an Arc-enabled cluster has no slash");
  for (const name of ["subscription-id", "resource-group"] as const) {
    if (reader.text(name) === "") reader.problem(`${name} is required for Azure Arc`);
  }
  const cloud = reader.parse("cloud", parseCloud) ?? "AzureCloud";
  return {
    kind: "arc",
    subscriptionId: reader.parse("subscription-id", parseGuid) ?? "",
    resourceGroup: reader.parse("resource-group", parseResourceGroup) ?? "",
    cloud,
    login: readLogin(reader, cloud),
    own: readOwn(reader),
    token: reader.parse("token", parseToken),
    arcProxy: {
      path: reader.text("arc-proxy-path") || undefined,
      digest: reader.parse("arc-proxy-digest", parseDigest),
      registry: reader.parse("arc-proxy-registry", parseOrigin),
    },
  };
}

/** Where Entra is follows from the cloud, unless that is one of somebody's own. */
function readLogin(reader: InputReader, cloud: string): EntraLogin {
  const login = readEntraLogin(reader);
  if (login === undefined) {
    const names = reader.has("client-id") ? "client-id and tenant-id are" : "azure-subscription is";
    reader.problem(`${names} required for Azure Arc`);
    return { kind: "service-connection", id: "" };
  }
  if (login.kind !== "application" || !Object.hasOwn(clouds, cloud)) return login;
  return { ...login, authority: clouds[cloud as CloudName].authority.origin };
}

function readOwn(reader: InputReader): ArcSettings["own"] {
  const secret = reader.text("client-secret");
  const pem = reader.text("client-certificate");
  if (secret !== "" && pem !== "") reader.problem("client-secret has no sense beside client-certificate");
  if (secret !== "") return { kind: "secret", secret };
  return pem === "" ? undefined : { kind: "certificate", pem };
}

/**
 * Where a job's identity tokens come from. Azure DevOps fixes their audience to the one for Microsoft Entra; what a
 * connection is that Entra trusts is therefore shown to Entra alone.
 */
import type { AssertionSpec } from "../../credentials/token-source-spec";
import { ClusterConnectError, messageOf } from "../../runtime/errors";
import { parseOrigin } from "../parse-input";
import type { EntraClient, PlatformIdentity } from "../platform";
import { quietly } from "./task-library";

type Environment = Readonly<Record<string, string | undefined>>;

const defaultAuthority = "https://login.microsoftonline.com";

export const createAzureDevOpsIdentity = (environment: Environment): PlatformIdentity => ({
  choosesAudience: false,
  token({ serviceConnection }) {
    if (serviceConnection !== undefined && schemeOf(serviceConnection) === federation) {
      throw refused("a connection with workload identity federation is a credential at Microsoft Entra");
    }
    return assertion(environment, serviceConnection);
  },
  entraClient(login) {
    if (login.kind !== "service-connection") throw new TypeError("a task has no application of its own");
    return clientOf(environment, login);
  },
});

const federation = "workloadidentityfederation";

function clientOf(environment: Environment, { id }: { readonly id: string }): EntraClient {
  const scheme = schemeOf(id);
  if (scheme !== federation)
    throw refused(`its scheme is ${scheme || "unknown"}, not WorkloadIdentityFederation`);
  const parameter = (name: string) => {
    const value = quietly((tasks) => tasks.getEndpointAuthorizationParameter(id, name, true)) ?? "";
    if (value === "") throw refused(`it has no ${name}`);
    return value;
  };
  const authority = quietly((tasks) => tasks.getEndpointDataParameter(id, "environmentAuthorityUrl", true));
  return {
    authority: originOf(authority || defaultAuthority),
    tenantId: parameter("tenantid"),
    clientId: parameter("serviceprincipalid"),
    assertion: assertion(environment, id),
  };
}

function originOf(authority: string): string {
  try {
    return parseOrigin(authority).origin;
  } catch (error) {
    throw refused(`its authority ${messageOf(error)}`);
  }
}

const schemeOf = (id: string): string =>
  (quietly((tasks) => tasks.getEndpointAuthorizationScheme(id, true)) ?? "").toLowerCase();

/** Throws ERR_CI_OIDC_NOT_PERMITTED where there is nobody to ask. */
function assertion(environment: Environment, serviceConnectionId: string | undefined): AssertionSpec {
  const requestUri = environment["SYSTEM_OIDCREQUESTURI"] ?? "";
  const accessToken =
    quietly((tasks) => tasks.getEndpointAuthorizationParameter("SystemVssConnection", "AccessToken", true)) ??
    "";
  if (requestUri === "" || accessToken === "") {
    const missing = requestUri === "" ? "System.OidcRequestUri" : "System.AccessToken";
    throw new ClusterConnectError("ERR_CI_OIDC_NOT_PERMITTED", `the job has no ${missing}`);
  }
  return {
    kind: "azure-devops-oidc",
    requestUri,
    accessToken,
    ...(serviceConnectionId === undefined ? {} : { serviceConnectionId }),
  };
}

const refused = (why: string): ClusterConnectError =>
  new ClusterConnectError("ERR_CI_SERVICE_CONNECTION", why);

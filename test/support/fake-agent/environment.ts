import {
  applicationId,
  connectionId,
  genericConnectionId,
  tenantId,
  type AzureIdentityEndpoints,
} from "./identity-endpoints";
import { environmentName } from "./logging-commands";

export interface AgentEnvironment {
  readonly folder: string;
  readonly temp: string;
  readonly lookupId: string;
  /** Undefined where the server issues no identity tokens. */
  readonly identity: AzureIdentityEndpoints | undefined;
  /** The job's variables, by the names of their environment variables. */
  readonly variables: Readonly<Record<string, string>>;
}

interface Connection {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

/** What the agent puts into a task's environment, as its Handler does: variables, then endpoints. */
export function agentEnvironment(options: AgentEnvironment): Record<string, string> {
  const { folder, temp, lookupId, identity, variables } = options;
  const entra = {
    parameters: { serviceprincipalid: applicationId, tenantid: tenantId },
    data: {
      environment: "AzureCloud",
      environmentAuthorityUrl: `${identity?.origin ?? "http://127.0.0.1:1"}/`,
    },
  };
  const publicVariables: Record<string, string> = {
    "Agent.TempDirectory": temp,
    "Agent.WorkFolder": folder,
    "Agent.ToolsDirectory": `${folder}/_tool`,
    "Agent.Version": "4.248.0",
    "System.JobId": "12f1170f-54f2-53f3-20dd-22fc7dff55f9",
    ...(identity === undefined ? {} : { "System.OidcRequestUri": `${identity.origin}/oidctoken` }),
  };
  return {
    HOME: folder,
    TF_BUILD: "True",
    VSTS_PROCESS_LOOKUP_ID: lookupId,
    COMMAND_CORRELATION_ID: "c0ffee",
    ...Object.fromEntries(
      Object.entries(publicVariables).map(([name, value]) => [environmentName(name), value]),
    ),
    VSTS_PUBLIC_VARIABLES: JSON.stringify([...Object.keys(publicVariables), ...Object.keys(variables)]),
    VSTS_SECRET_VARIABLES: "[]",
    ...endpoint("SYSTEMVSSCONNECTION", {
      scheme: "OAuth",
      parameters: identity === undefined ? {} : { AccessToken: identity.requestToken },
    }),
    ...endpoint(connectionId, { scheme: "WorkloadIdentityFederation", ...entra }),
    ...endpoint(genericConnectionId, {
      scheme: "UsernamePassword",
      parameters: { password: "generic-password" },
    }),
    ...variables,
    PATH: variables["PATH"] ?? process.env["PATH"] ?? "",
  };
}

/** The variables of a service connection with the id `id`. */
export function endpoint(id: string, { scheme, parameters, data = {} }: Connection): Record<string, string> {
  const named = (prefix: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => [`${prefix}_${environmentName(name)}`, value]);
  return Object.fromEntries([
    [`ENDPOINT_URL_${id}`, "https://endpoint.invalid/"],
    [`ENDPOINT_AUTH_${id}`, JSON.stringify({ parameters, scheme })],
    [`ENDPOINT_AUTH_SCHEME_${id}`, scheme],
    ...named(`ENDPOINT_AUTH_PARAMETER_${id}`, parameters),
    [`ENDPOINT_DATA_${id}`, JSON.stringify(data)],
    ...named(`ENDPOINT_DATA_${id}`, data),
  ]) as Record<string, string>;
}

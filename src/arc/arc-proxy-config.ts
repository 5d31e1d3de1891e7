/** The configuration file that arcProxy is started with. */
import { stringify } from "yaml";
import type { Cloud } from "./cloud";

export interface ArcProxyConfig {
  /** Where `register` is served, without TLS. */
  readonly httpPort: number;
  /** Where the identity API and the Kubernetes API are served. */
  readonly httpsPort: number;
  readonly tenantId: string;
  /** Of the application that signs in; undefined where a service account's token does. */
  readonly clientId: string | undefined;
  readonly cloud: Cloud;
}

export function renderArcProxyConfig(config: ArcProxyConfig): string {
  const { httpPort, httpsPort, tenantId, clientId, cloud } = config;
  return stringify({
    server: { httpPort, httpsPort },
    identity: { tenantID: tenantId, ...(clientId === undefined ? {} : { clientID: clientId }) },
    cloud: cloud.arcProxyName,
    ...(cloud.endpoints === undefined ? {} : { cloudConfig: cloud.endpoints }),
  });
}

import type { EntraCredential } from "../credentials/entra-credential";
import type { TokenSource } from "../credentials/token-source";
import type { ClusterResource } from "./connected-cluster";

/** How ARM is signed in to: as an application, or with tokens that somebody else obtains. */
export type ArmSignIn =
  | { readonly kind: "application"; readonly clientId: string; readonly credential: EntraCredential }
  | { readonly kind: "token"; readonly source: TokenSource };

export interface ArcSettings {
  readonly cluster: ClusterResource;
  /** A name of `clouds`, or the address of an ARM endpoint. */
  readonly cloud: string;
  readonly tenantId: string;
  readonly signIn: ArmSignIn;
  /**
   * Tokens of a Kubernetes service account, as whom the caller comes instead of as the application; needed where
   * `signIn` is no application, since only that gets a token bound to arcProxy's key.
   */
  readonly serviceAccount: TokenSource | undefined;
  readonly program: { readonly path: string; readonly digest: string };
  /** arcProxy's own: made for each one that is started, and removed after it. */
  readonly folder: string;
  /** In an existing private folder. */
  readonly logFile: string;
  readonly isDebug: boolean;
}

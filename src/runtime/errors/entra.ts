import { errorTable } from "./entry";

export const entraErrors = errorTable({
  ERR_ENTRA_UNREACHABLE: {
    hop: "Microsoft Entra",
    owner: "workflow author",
    summary: "Microsoft Entra cannot be reached, or cannot answer now",
    cause:
      "a network fault, an outbound proxy that does not let the runner through, or an outage or throttling.",
    remedy:
      "nothing if it happens once: it is asked again by itself. If it lasts, check HTTPS_PROXY and Azure's status page.",
  },
  ERR_ENTRA_FEDERATION: {
    hop: "Microsoft Entra",
    owner: "workflow author",
    summary: "the application trusts no such job",
    cause:
      "no federated credential of the application has this issuer, subject and audience: another branch, environment or repository runs the job than the one that was registered.",
    remedy:
      "add a federated credential to the app registration with the issuer, subject and audience that the message shows, letter by letter.",
  },
  ERR_ENTRA_ASSERTION_EXPIRED: {
    hop: "Microsoft Entra",
    owner: "workflow author",
    summary: "the job's assertion is not valid now",
    cause:
      "the clock of the CI system differs from Entra's, or a token was given that is used again and again.",
    remedy:
      "at a desk, give --client-assertion-command or a file that is renewed; elsewhere run the job again.",
  },
  ERR_ENTRA_CONDITIONAL_ACCESS: {
    hop: "Microsoft Entra",
    owner: "cluster operator",
    summary: "a conditional access policy blocks the sign-in",
    cause:
      "a policy for workload identities allows this application from certain places only, and the runner is elsewhere.",
    remedy:
      "run the job where the policy allows it, or exclude the application from it; Entra's sign-in log for service principals names the policy.",
  },
  ERR_ENTRA_CLIENT_UNKNOWN: {
    hop: "Microsoft Entra",
    owner: "workflow author",
    summary: "Microsoft Entra does not know the application or the tenant",
    cause: "client-id or tenant-id is mistyped, belongs to another cloud, or the application is disabled.",
    remedy:
      "copy both from the app registration's overview; client-id is the application id, not the object id.",
  },
  ERR_ENTRA_SECRET_REFUSED: {
    hop: "Microsoft Entra",
    owner: "workflow author",
    summary: "Microsoft Entra refused the application's secret or certificate",
    cause: "it has expired, was removed, or is the secret's id instead of its value.",
    remedy: "make a new one in the app registration, or better a federated credential, which never expires.",
  },
  ERR_ENTRA_CERTIFICATE: {
    hop: "configuration",
    owner: "workflow author",
    summary: "the application's certificate cannot be used",
    cause:
      "the PEM lacks the certificate or its RSA private key, is encrypted, or the two do not belong together.",
    remedy: "give both as unencrypted PEM in one text.",
  },
  ERR_ENTRA_RESOURCE_UNKNOWN: {
    hop: "Microsoft Entra",
    owner: "cluster operator",
    summary: "the tenant does not know what the token is for",
    cause:
      "the resource has no service principal in this tenant: the provider Microsoft.Kubernetes was never registered there, or the tenant or cloud is another one than the cluster's.",
    remedy:
      "check tenant-id and cloud; then register the resource provider Microsoft.Kubernetes in the cluster's subscription.",
  },
  ERR_ENTRA_REFUSED: {
    hop: "Microsoft Entra",
    owner: "workflow author",
    summary: "Microsoft Entra refused the sign-in",
    cause: "the AADSTS number in the message says what for.",
    remedy: "look the number up at https://login.microsoftonline.com/error.",
  },
});

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The child's whole environment, by allow-list: the job's holds secrets of other steps and the right to request
 * identity tokens. The tracking ids stay, so that the CI system's own sweep finds the process if post never runs.
 */
const inherited = [
  "PATH",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "RUNNER_TRACKING_ID",
  "VSTS_PROCESS_LOOKUP_ID",
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
  "NO_PROXY",
  "no_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NODE_EXTRA_CA_CERTS",
  "NODE_USE_SYSTEM_CA",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
] as const;

export const childEnvironment = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    inherited.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

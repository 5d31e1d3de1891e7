import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";

export interface Config {
  readonly server: { readonly httpPort: number; readonly httpsPort: number };
  readonly identity: { readonly tenantID: string; readonly clientID?: string };
  readonly cloud: string;
  readonly cloudConfig?: {
    readonly resourceManagerEndpoint: string;
    readonly serviceBusEndpointSuffix: string;
    readonly activeDirectoryEndpoint: string;
  };
}

const known: Readonly<Record<string, readonly string[]>> = {
  "": ["server", "identity", "cloud", "cloudConfig"],
  server: ["httpPort", "httpsPort"],
  identity: ["tenantID", "clientID"],
  cloudConfig: ["resourceManagerEndpoint", "serviceBusEndpointSuffix", "activeDirectoryEndpoint"],
};

/** Reads `-c FILE [-d]`, and the file, strictly. Throws an Error that says what is wrong. */
export function readCommandLine(args: readonly string[]): { config: Config; mode: number } {
  const [flag, path, debug, ...more] = args;
  if (flag !== "-c" || path === undefined || more.length > 0 || (debug !== undefined && debug !== "-d")) {
    throw new Error(`usage: arcProxy -c FILE [-d], not ${args.join(" ")}`);
  }
  const document = parse(readFileSync(path, "utf8")) as Record<string, Record<string, unknown>>;
  for (const [section, names] of Object.entries(known)) {
    const given = Object.keys((section === "" ? document : document[section]) ?? {});
    const unknown = given.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new Error(`unknown keys ${section} ${unknown.join()}`);
  }
  const config = document as unknown as Config;
  const { httpPort, httpsPort } = config.server;
  if (!Number.isInteger(httpPort) || !Number.isInteger(httpsPort) || httpPort === httpsPort) {
    throw new Error("two different ports are needed");
  }
  if (typeof config.identity.tenantID !== "string" || typeof config.cloud !== "string") {
    throw new Error("tenantID and cloud are needed");
  }
  return { config, mode: statSync(path).mode & 0o777 };
}

import type { StartedProcess } from "../measure/started-process";

/** How a load process reaches the target. */
export interface Endpoint {
  readonly port: number;
  readonly caPem: string;
  readonly serverName: string;
  /** Sent with each request, such as the auth proxy's bearer token. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A way from the load to the target, and the processes that it goes through. */
export interface Path {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly processes: Readonly<Record<string, StartedProcess>>;
}

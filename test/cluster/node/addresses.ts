import { mustRun } from "./command";

/** Where everything is. All of it in 198.18.0.0/15, which is set apart for test networks and routed nowhere. */
export interface Addresses {
  /** This side of the cable between the machine and the node: where a relay under test listens. */
  readonly host: string;
  readonly node: string;
  readonly pods: string;
  readonly services: string;
  /** Of the apiserver, as pods see it; an address of the node's own loopback device. */
  readonly service: string;
}

/** The first block that this machine knows nothing of: several nodes can run beside one another. */
export async function chooseAddresses(): Promise<Addresses> {
  const routes = await mustRun("ip", ["-4", "route", "show", "table", "all"]);
  const free = [...Array(200).keys()].find((block) => !routes.includes(`198.18.${String(block)}.`));
  if (free === undefined) throw new Error("every test network of this machine is taken");
  const block = `198.18.${String(free)}`;
  return {
    host: `${block}.1`,
    node: `${block}.2`,
    pods: `${block}.128/25`,
    services: `198.19.${String(free)}.0/24`,
    service: `198.19.${String(free)}.1`,
  };
}

import { createTestCertificate } from "../../test/support/certificate";
import { startModule } from "../measure/started-process";
import type { HopOptions } from "../processes/hop";
import type { Path } from "./path";
import type { Stage } from "./stage";

/**
 * Three processes of Node's own `net` and `tls` joined by `pipe`, in the places of client proxy, relay and agent, with
 * TLS between them: the least that a tunnel written for Node can cost.
 */
export async function startBareChain(stage: Stage, direct: Path): Promise<Path> {
  const { certPem, keyPem, caPem } = await createTestCertificate();
  const start = (options: HopOptions) => stage.start(startModule("processes/hop", options));
  const server = { certPem, keyPem };
  const last = await start({ server, to: { port: direct.endpoint.port } });
  const middle = await start({ server, to: { port: Number(last.ready["port"]), caPem } });
  const first = await start({ to: { port: Number(middle.ready["port"]), caPem } });
  return {
    name: "bare chain",
    endpoint: { ...direct.endpoint, port: Number(first.ready["port"]) },
    processes: { first, middle, last },
  };
}

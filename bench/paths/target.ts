import { createTestCertificate } from "../../test/support/certificate";
import { serverNameOf } from "../../src/protocol/server-name";
import { startModule } from "../measure/started-process";
import type { Path } from "./path";
import { cluster } from "./relay";
import type { Stage } from "./stage";

/** The TLS server that stands at the end of every path, reached directly. */
export async function startTarget(stage: Stage): Promise<Path> {
  const { certPem, keyPem, caPem } = await createTestCertificate([serverNameOf(cluster)]);
  const target = await stage.start(startModule("processes/target", { certPem, keyPem }));
  return {
    name: "direct TLS",
    endpoint: { port: Number(target.ready["port"]), caPem, serverName: serverNameOf(cluster), headers: {} },
    processes: { target },
  };
}

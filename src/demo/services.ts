/**
 * The two parts of the demo that a real installation has elsewhere, each as a process: issuer and Kubernetes API.
 * `folder` holds the secrets that they share with their peers. Both resolve with the exit code.
 */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createResponderCertificate } from "../client-proxy/responder-certificate";
import { runProcess } from "../runtime/process";
import { startIssuer } from "./issuer";
import { createKubernetesApi } from "./kubernetes/api";

const processOptions = (name: string) =>
  ({ name, hop: "demo", logLevel: "info", logFormat: "json" }) as const;

export function runIssuer(folder: string): Promise<number> {
  return runProcess(processOptions("issuer"), async ({ shutdown }) => {
    const issuer = await startIssuer(readFileSync(join(folder, "request.token"), "utf8"));
    writeFileSync(join(folder, "issuer.ca.pem"), issuer.caPem);
    shutdown.add("issuer", () => issuer.close());
    return { url: issuer.url };
  });
}

export function runKubernetes(folder: string): Promise<number> {
  return runProcess(processOptions("kubernetes"), async ({ shutdown }) => {
    const { caPem, certPem, keyPem } = await createResponderCertificate("kubernetes.default.svc");
    writeFileSync(join(folder, "kubernetes.ca.pem"), caPem);
    const token = readFileSync(join(folder, "kubernetes.token"), "utf8");
    const server = createKubernetesApi({ cert: certPem, key: keyPem }, token);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    shutdown.add("server", () => {
      server.close();
      server.closeAllConnections();
    });
    return { url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
  });
}

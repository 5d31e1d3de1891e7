/**
 * With the operator's consent, and for as long as the demo runs, a few rights in namespace `default` of a real
 * cluster. Made and removed with the operator's own kubeconfig, directly and not through the tunnel.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { readKubeconfig } from "../auth-proxy/kubeconfig-target";

const group = "rbac.authorization.k8s.io";
const base = `/apis/${group}/v1/namespaces/default`;
const timeoutMs = 10_000;

export interface Grant {
  /** Of the Role and of the RoleBinding. */
  readonly name: string;
  /** Removes them; resolves with what could not be removed. */
  revoke(): Promise<string[]>;
}

/** Lets `user` list pods and create config maps. */
export async function grantRights(kubeconfig: string, user: string): Promise<Grant> {
  const name = `cluster-connect-demo-${randomBytes(4).toString("hex")}`;
  const revoke = async () => {
    const left: string[] = [];
    for (const plural of ["rolebindings", "roles"]) {
      await send(kubeconfig, "DELETE", `${base}/${plural}/${name}`);
      const status = await send(kubeconfig, "GET", `${base}/${plural}/${name}`);
      if (status !== 404) left.push(`${plural} ${name}`);
    }
    return left;
  };
  try {
    await create(kubeconfig, "roles", {
      kind: "Role",
      metadata: { name },
      rules: [
        { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        { apiGroups: [""], resources: ["configmaps"], verbs: ["create"] },
      ],
    });
    await create(kubeconfig, "rolebindings", {
      kind: "RoleBinding",
      metadata: { name },
      roleRef: { apiGroup: group, kind: "Role", name },
      subjects: [{ apiGroup: group, kind: "User", name: user }],
    });
  } catch (error) {
    await revoke();
    throw error;
  }
  return { name, revoke };
}

async function create(kubeconfig: string, plural: string, object: object): Promise<void> {
  const document = { apiVersion: `${group}/v1`, ...object };
  const status = await send(kubeconfig, "POST", `${base}/${plural}`, document);
  if (status !== 201) throw new Error(`${plural} cannot be created: status ${String(status)}`);
}

/** Resolves with the status of the answer. */
function send(kubeconfig: string, method: string, target: string, document?: object): Promise<number> {
  const { url, caPem, serverName, clientCertificate, ...credential } = readKubeconfig(kubeconfig);
  const token =
    credential.tokenFile === undefined ? credential.token : readFileSync(credential.tokenFile, "utf8").trim();
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(target, url),
      {
        method,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        ...(caPem === undefined ? {} : { ca: caPem }),
        ...(serverName === undefined ? {} : { servername: serverName }),
        ...(clientCertificate === undefined
          ? {}
          : { cert: clientCertificate.certPem, key: clientCertificate.keyPem }),
        headers: {
          "Content-Type": "application/json",
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      },
    );
    outgoing.once("error", reject);
    outgoing.end(document === undefined ? undefined : JSON.stringify(document));
  });
}

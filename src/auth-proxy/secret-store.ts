import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Apiserver } from "./apiserver";
import type { KeyAndCertificate } from "./certificate-maker";
import type { CertificateStore, KeptCertificates } from "./certificate-store";

const secretDocument = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).nullish(),
});
type SecretDocument = z.output<typeof secretDocument>;

const names = { ca: "ca.crt", caKey: "ca.key", leaf: "tls.crt", leafKey: "tls.key" } as const;

/**
 * A Kubernetes Secret, read and written as the proxy's own service account. One that exists without a CA in it,
 * such as an empty one that an installation made beforehand, is filled: `create` on Secrets is then not needed.
 */
export function createSecretStore(
  apiserver: Pick<Apiserver, "requestAsSelf">,
  namespace: string,
  name: string,
): CertificateStore {
  const place = `Secret ${namespace}/${name}`;
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const path = `${collection}/${encodeURIComponent(name)}`;

  const failure = (reason: string, cause?: unknown) =>
    new ClusterConnectError("ERR_AUTH_PROXY_CERTIFICATES", `${place}: ${reason}`, { cause });
  const send = async (method: string, target: string, body?: object) => {
    const answer = await apiserver.requestAsSelf(method, target, body).catch((error: unknown) => {
      throw failure(messageOf(error), error);
    });
    if (answer.status === 404 || answer.status === 409 || (answer.status >= 200 && answer.status < 300)) {
      return answer;
    }
    throw failure(`${method} was answered ${String(answer.status)}`);
  };
  const read = async (): Promise<SecretDocument | undefined> => {
    const { status, body } = await send("GET", path);
    if (status === 404) return undefined;
    const parsed = secretDocument.safeParse(JSON.parse(body));
    if (!parsed.success) throw failure("it is not a Secret");
    return parsed.data;
  };
  const write = async (found: SecretDocument | undefined, data: Record<string, string>) => {
    if (found !== undefined) {
      // With its resourceVersion: a 409 says that another replica has written since it was read.
      const { status } = await send("PUT", path, { ...found, data: { ...found.data, ...encode(data) } });
      return status !== 409 && status !== 404;
    }
    const metadata = { name, namespace };
    const secret = { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data: encode(data) };
    const { status } = await send("POST", collection, secret);
    if (status === 404) throw failure(`the namespace does not exist`);
    return status !== 409;
  };

  return {
    place,
    async load() {
      const data = (await read())?.data;
      return data?.[names.ca] === undefined && data?.[names.caKey] === undefined ? undefined : decode(data);
    },
    async create({ authority, leaf }) {
      const found = await read();
      if (found?.data?.[names.ca] !== undefined) return false;
      return write(found, {
        [names.ca]: authority.certPem,
        [names.caKey]: authority.keyPem,
        ...leafData(leaf),
      });
    },
    async replaceLeaf(leaf) {
      const found = await read();
      if (found === undefined) throw failure("it was deleted");
      if (!(await write(found, leafData(leaf)))) throw failure("another replica wrote it at the same time");
    },
  };
}

const leafData = (leaf: KeyAndCertificate) => ({ [names.leaf]: leaf.certPem, [names.leafKey]: leaf.keyPem });

function encode(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "utf8").toString("base64")]),
  );
}

function decode(data: Readonly<Record<string, string>>): KeptCertificates {
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString("utf8");
  return {
    authority: { certPem: text(names.ca), keyPem: text(names.caKey) },
    leaf: { certPem: text(names.leaf), keyPem: text(names.leafKey) },
  };
}

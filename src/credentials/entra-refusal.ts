/** What Microsoft Entra means by a refusal, by its numeric AADSTS code. */
import { z } from "zod";
import { ClusterConnectError, type ErrorCode } from "../runtime/errors";
import type { HttpResponse } from "../runtime/http-request";
import { readRetryAfter } from "../runtime/retry-after";
import type { EntraClient } from "./entra-credential";
import { readUnverifiedClaims } from "./jwt-claims";

const codes: readonly (readonly [code: ErrorCode, aadsts: readonly number[]])[] = [
  // No federated credential with that issuer, subject or audience.
  ["ERR_ENTRA_FEDERATION", [70_021, 700_211, 700_212, 700_213, 7_002_138]],
  ["ERR_ENTRA_ASSERTION_EXPIRED", [700_024]],
  ["ERR_ENTRA_CONDITIONAL_ACCESS", [53_000, 53_001, 53_003, 530_003, 530_035]],
  // No such application, or one that is disabled; no such tenant, or none by that name.
  ["ERR_ENTRA_CLIENT_UNKNOWN", [700_016, 7_000_112, 90_002, 900_023, 900_021]],
  ["ERR_ENTRA_SECRET_REFUSED", [7_000_215, 7_000_222, 7_000_218, 700_027]],
  ["ERR_ENTRA_RESOURCE_UNKNOWN", [500_011, 500_014, 650_057]],
];

/** The reason stands at the beginning. */
const maxReasonCharacters = 400;

const refusal = z.object({
  error: z.string().default(""),
  error_description: z.string().default(""),
  error_codes: z.array(z.number()).default([]),
});

export interface RefusedRequest {
  readonly client: EntraClient;
  readonly scope: string;
  readonly assertion: string | undefined;
}

export function explainEntraRefusal(response: HttpResponse, request: RefusedRequest): ClusterConnectError {
  const { error, error_description, error_codes } = read(response.body);
  // The first line is the message; the rest are trace ids and a time.
  const said = (error_description.split(/\r?\n/)[0] ?? "") || error || `status ${String(response.status)}`;
  if (response.status >= 500 || response.status === 429) {
    const detail = `status ${String(response.status)} ${said}`;
    return new ClusterConnectError("ERR_ENTRA_UNREACHABLE", detail, {
      cause: readRetryAfter(response.headers["retry-after"]),
    });
  }
  const [, described] = /^AADSTS(\d+)/.exec(error_description) ?? [];
  const given = [...error_codes, ...(described === undefined ? [] : [Number(described)])];
  const known = codes.find(([, numbers]) => numbers.some((number) => given.includes(number)));
  const code = known?.[0] ?? "ERR_ENTRA_REFUSED";
  return new ClusterConnectError(code, `${said.slice(0, maxReasonCharacters)} [${particulars(request)}]`);
}

/** What has to be compared with the registration: none of it is secret. */
function particulars({ client, scope, assertion }: RefusedRequest): string {
  const show = (claim: unknown) => JSON.stringify(claim) ?? "none";
  const { iss, sub, aud } = readUnverifiedClaims(assertion ?? "") ?? {};
  const claims =
    assertion === undefined ? "" : `; issuer ${show(iss)}, subject ${show(sub)}, audience ${show(aud)}`;
  return `scope ${scope}, client ${client.clientId}, tenant ${client.tenantId}${claims}`;
}

function read(body: string): z.output<typeof refusal> {
  try {
    return refusal.parse(JSON.parse(body));
  } catch {
    return { error: "", error_description: "", error_codes: [] };
  }
}

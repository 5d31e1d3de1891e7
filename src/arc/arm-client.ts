/** Azure Resource Manager: one session's calls, tied together by a correlation id that Azure's own logs show. */
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import { productVersion } from "../runtime/version";
import { explainArmRefusal } from "./arm-refusal";

export interface ArmRequest {
  readonly method: "GET" | "POST";
  /** The resource's id, and what is asked of it. */
  readonly path: string;
  readonly apiVersion: string;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

export interface ArmAnswer {
  readonly body: unknown;
  /** When it was asked, by the local clock. */
  readonly askedAtMs: number;
  /** Milliseconds since the epoch, by ARM's clock, at the latest. */
  readonly serverTimeMs: number;
}

export interface ArmClientOptions {
  readonly resourceManager: URL;
  /** A token for ARM that is good now. */
  readonly token: (signal?: AbortSignal) => Promise<string>;
  /** A GUID, the same for a whole session. */
  readonly correlationId: string;
  readonly timeoutMs?: number;
}

export const correlationHeader = "x-ms-correlation-request-id";

export class ArmClient {
  constructor(private readonly options: ArmClientOptions) {}

  /** Throws a ClusterConnectError with an ERR_ARM_…, ERR_ARC_… or ERR_ENTRA_… code. */
  async send(request: ArmRequest): Promise<ArmAnswer> {
    const { resourceManager, token, correlationId, timeoutMs = 30_000 } = this.options;
    const { method, path, apiVersion, body, signal } = request;
    const authorization = `Bearer ${await token(signal)}`;
    const askedAtMs = Date.now();
    const response = await sendHttpRequest({
      url: new URL(`${path}?api-version=${apiVersion}`, resourceManager),
      method,
      headers: {
        Authorization: authorization,
        Accept: "application/json",
        "User-Agent": productVersion,
        [correlationHeader]: correlationId,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
      signal,
    }).catch((error: unknown) => {
      if (error instanceof ClusterConnectError && error.code !== "ERR_HTTP_FAILED") throw error;
      throw new ClusterConnectError("ERR_ARM_UNREACHABLE", messageOf(error), { cause: error });
    });
    if (response.status !== 200) throw explainArmRefusal(response, { path, correlationId });
    return { body: parse(response.body), askedAtMs, serverTimeMs: serverTimeOf(response) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ClusterConnectError("ERR_ARM_ANSWER", "the answer is not JSON", { cause: error });
  }
}

function serverTimeOf({ headers }: HttpResponse): number {
  const date = typeof headers["date"] === "string" ? Date.parse(headers["date"]) : Number.NaN;
  // The header has whole seconds.
  return Number.isNaN(date) ? Date.now() : date + 1_000;
}

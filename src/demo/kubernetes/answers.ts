/** Answers as Kubernetes gives them, failures as a `Status`. */
import type { IncomingMessage, ServerResponse } from "node:http";

export const maxBodyBytes = 1_048_576;

const reasons = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "AlreadyExists",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  507: "InsufficientStorage",
} as const;
export type FailureCode = keyof typeof reasons;

/** Thrown on the way through a request, and answered as a `Status`. */
export class Refusal extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
  ) {
    super(message);
  }

  get status() {
    const { code, message } = this;
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason: reasons[code],
      code,
    };
  }
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

export function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const refusal = error instanceof Refusal ? error : new Refusal(400, "the request cannot be read");
  answer(response, refusal.code, refusal.status);
}

/** The body's text. Throws a Refusal beyond `maxBodyBytes`. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new Refusal(413, "the body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

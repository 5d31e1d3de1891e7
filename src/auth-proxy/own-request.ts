import type { RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";

export interface OwnAnswer {
  readonly status: number;
  readonly body: string;
}

const maxAnswerBytes = 1_048_576;

/**
 * One small request of the proxy's own, directly to the apiserver as the callers' are: never through an outbound
 * proxy, which the cluster's own address is not reached by. Rejects when there is no answer.
 */
export function sendOwnRequest(options: RequestOptions, body: string | undefined): Promise<OwnAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options);
    request.on("error", reject).on("response", (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxAnswerBytes) response.destroy(new Error("the apiserver's answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject).on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.end(body);
  });
}

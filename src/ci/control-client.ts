/** Asks the client proxy over its control endpoint. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import {
  controlAddressFile,
  controlSecretFile,
  controlStatus,
  type ControlRequest,
  type ControlStatus,
} from "../client-proxy/control";

const maxAnswerBytes = 1_048_576;

/** Resolves with the answer; rejects when the endpoint is not there, ends without one, or `timeoutMs` is over. */
export async function askClientProxy(
  instanceDirectory: string,
  command: ControlRequest["command"],
  timeoutMs: number,
): Promise<ControlStatus> {
  const address = await readControlAddress(instanceDirectory);
  const secret = await readFile(join(instanceDirectory, controlSecretFile), "utf8");
  const line = await exchange(address, JSON.stringify({ secret, command }), timeoutMs);
  return controlStatus.parse(JSON.parse(line));
}

/** A unix socket's path, or a pipe's name on Windows. Rejects when there is no endpoint yet. */
export const readControlAddress = (instanceDirectory: string): Promise<string> =>
  readFile(join(instanceDirectory, controlAddressFile), "utf8");

function exchange(address: string, request: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), timeoutMs);
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`${request}\n`));
    socket.on("data", (chunk: string) => {
      answer += chunk;
      if (answer.length > maxAnswerBytes) socket.destroy(new Error("the answer is too long"));
      if (answer.endsWith("\n")) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      if (answer.endsWith("\n")) resolve(answer);
      else reject(new Error("the client proxy ended the conversation"));
    });
  });
}

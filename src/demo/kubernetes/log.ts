import type { ServerResponse } from "node:http";

const lineEveryMs = 200;

/** What the pod has said, and with `follow` what it goes on saying until nobody listens any more. */
export function answerLog(response: ServerResponse, follow: boolean): void {
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.write("hello from a pod behind a firewall\n");
  if (!follow) return void response.end();
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    response.write(`still here (${String(count)})\n`);
  }, lineEveryMs);
  response.once("close", () => clearInterval(timer));
}

import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that outgoing connections get: none of them can take it while the relay is down. */
const [first, count] = [20_000, 10_000];

/** A loopback port that nothing listens on, for a process that is started on it again and again. */
export async function fixedPort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}

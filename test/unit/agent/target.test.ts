import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connectTarget } from "../../../src/agent/target";

/** Listens, says where, and takes nobody: what it has room for waits in the kernel, what comes after gets no answer. */
const deaf = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    process.stdout.write(String(server.address().port));
  });
`;

describe("the agent's target", () => {
  it("that takes no connection is given up after connectTimeoutMs", async () => {
    const child = spawn(process.execPath, ["-e", deaf], { stdio: ["ignore", "pipe", "inherit"] });
    const waiting: Socket[] = [];
    try {
      const [chunk] = (await once(child.stdout, "data")) as [Buffer];
      child.kill("SIGSTOP");
      const target = { host: "127.0.0.1", port: Number(chunk), caFile: "" };
      for (let count = 0; count < 8; count += 1)
        waiting.push(connect(target.port, target.host).on("error", () => undefined));
      await once(waiting[0]!, "connect");
      const before = performance.now();
      await expect(connectTarget(target as Parameters<typeof connectTarget>[0], 200)).rejects.toMatchObject({
        code: "ERR_AGENT_TARGET_UNREACHABLE",
        message: expect.stringContaining("within 200 ms") as string,
      });
      expect(performance.now() - before).toBeGreaterThan(190);
    } finally {
      for (const socket of waiting) socket.destroy();
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });
});

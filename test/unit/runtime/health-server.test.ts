import { Counter, Registry } from "prom-client";
import { startHealthServer } from "../../../src/runtime/health-server";

describe("health server", () => {
  it("answers liveness, readiness with its reason, and metrics", async () => {
    const metrics = new Registry();
    new Counter({ name: "things_total", help: "Things.", registers: [metrics] }).inc();
    let reason: string | undefined = "no listener yet";
    const server = await startHealthServer({
      host: "127.0.0.1",
      port: 0,
      metrics,
      unreadyReason: () => reason,
    });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.status, await response.text()] as const;
    };
    try {
      expect(await get("/healthz")).toEqual([200, "ok\n"]);
      expect(await get("/readyz")).toEqual([503, "no listener yet\n"]);
      reason = undefined;
      expect(await get("/readyz")).toEqual([200, "ok\n"]);
      expect((await get("/metrics"))[1]).toContain("things_total 1");
      expect((await get("/"))[0]).toBe(404);
    } finally {
      await server.close();
    }
  });
});

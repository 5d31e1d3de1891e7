import { silentLogger, type Logger } from "../../../src/runtime/logger";
import { Shutdown } from "../../../src/runtime/shutdown";

describe("shutdown", () => {
  it("stops in the reverse order of starting, once", async () => {
    const order: string[] = [];
    const shutdown = new Shutdown(silentLogger);
    shutdown.add("first", () => order.push("first"));
    shutdown.add("second", async () => {
      await Promise.resolve();
      order.push("second");
    });
    await Promise.all([shutdown.run(), shutdown.run()]);
    expect(order).toEqual(["second", "first"]);
  });

  it("goes on after a step that fails or hangs, and names it", async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, fields) => warnings.push(fields?.["step"]) };
    const shutdown = new Shutdown(logger);
    const last = jest.fn();
    shutdown.add("last", last);
    shutdown.add("hangs", () => new Promise(() => undefined));
    shutdown.add("throws", () => {
      throw new Error("no");
    });
    await shutdown.run(20);
    expect(last).toHaveBeenCalledTimes(1);
    expect(warnings).toEqual(["throws", "hangs"]);
  });

  it("undoes at once what was started while, or after, the rest was stopped", async () => {
    const order: string[] = [];
    const shutdown = new Shutdown(silentLogger);
    shutdown.add("first", async () => {
      await Promise.resolve();
      order.push("first");
    });
    const stopped = shutdown.run();
    shutdown.add("late", () => order.push("late"));
    await stopped;
    await shutdown.run();
    expect(order).toEqual(["first", "late"]);
    shutdown.add("too late", () => order.push("too late"));
    await shutdown.run();
    expect(order).toEqual(["first", "late", "too late"]);
  });
});

import { runProcess, type ProcessOptions } from "../../../src/runtime/process";
import type { LogFields } from "../../../src/runtime/logger";

const events: [event: string, fields: LogFields][] = [];
const mockRecord = (event: string, fields: LogFields = {}) => void events.push([event, fields]);
const mockRecorder = {
  debug: mockRecord,
  info: mockRecord,
  warn: mockRecord,
  error: mockRecord,
  child: () => mockRecorder,
};
jest.mock("../../../src/runtime/logger", () => ({ createLogger: () => mockRecorder }));

const options: ProcessOptions = { name: "agent", hop: "agent", logLevel: "info", logFormat: "json" };
const names = () => events.map(([event]) => event);

describe("a process", () => {
  afterEach(() => events.splice(0));

  it("says that it is ready, runs until it is told to stop, and undoes what was started, last first", async () => {
    const undone: string[] = [];
    const code = await runProcess(options, ({ shutdown, stop }) => {
      shutdown.add("first", () => undone.push("first"));
      shutdown.add("second", () => undone.push("second"));
      setImmediate(() => stop("told to"));
      return Promise.resolve({ port: 1 });
    });
    expect(code).toBe(0);
    expect(events).toEqual([
      ["ready", { ready: true, port: 1 }],
      ["stopping", { reason: "told to" }],
      ["stopped", {}],
    ]);
    expect(undone).toEqual(["second", "first"]);
  });

  it("stops by a signal, and listens to none afterwards", async () => {
    const before = process.listenerCount("SIGTERM");
    const code = await runProcess(options, () => {
      setImmediate(() => process.emit("SIGTERM", "SIGTERM"));
      return Promise.resolve({});
    });
    expect(code).toBe(0);
    expect(events[1]).toEqual(["stopping", { reason: "SIGTERM" }]);
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  it("that is stopped while it starts is never ready", async () => {
    const code = await runProcess(options, ({ stop }) => {
      stop("too early");
      return new Promise(() => undefined);
    });
    expect(code).toBe(0);
    expect(names()).toEqual(["stopped"]);
  });

  it("that cannot start says why, names itself as the place of what nobody expected, and undoes the rest", async () => {
    const undone: string[] = [];
    const code = await runProcess(options, ({ shutdown }) => {
      shutdown.add("first", () => undone.push("first"));
      return Promise.reject(new TypeError("odd"));
    });
    expect(code).toBe(1);
    expect(events[0]).toEqual([
      "start.failed",
      expect.objectContaining({ code: "ERR_UNEXPECTED", hop: "agent" }) as LogFields,
    ]);
    expect(undone).toEqual(["first"]);
  });
});

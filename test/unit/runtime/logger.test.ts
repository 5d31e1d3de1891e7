import { createLogger, type LoggerOptions } from "../../../src/runtime/logger";

function capture(options: LoggerOptions) {
  const lines: string[] = [];
  return { lines, logger: createLogger({ ...options, write: (line) => lines.push(line) }) };
}

describe("logger", () => {
  it("writes one JSON line an event, with its fields and those of its parents", () => {
    const { lines, logger } = capture({});
    logger.child({ sessionId: "s1" }).info("stream.opened", { streamId: 3 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: "info",
      event: "stream.opened",
      sessionId: "s1",
      streamId: 3,
    });
  });

  it("drops events below its level", () => {
    const { lines, logger } = capture({ level: "warn" });
    logger.info("quiet");
    logger.warn("loud");
    expect(lines).toHaveLength(1);
  });

  it("redacts what goes through a child's own fields too", () => {
    const { lines, logger } = capture({});
    logger.child({ token: "abc" }).error("failed", { authorization: "def" });
    expect(lines.join("")).not.toMatch(/abc|def/);
  });

  it("keeps each event on one line in the format for people", () => {
    const { lines, logger } = capture({ format: "pretty" });
    logger.info("refused", { reason: 'two\nlines "quoted"', port: 1 });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} info {2}refused reason="two\\nlines \\"quoted\\"" port=1\n$/,
    );
  });
});

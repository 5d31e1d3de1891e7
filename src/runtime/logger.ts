/**
 * Structured log: one event a line, a stable event name, fields beside it. Written synchronously, because the
 * last lines before a crash are the ones somebody will want to read.
 */
import pino from "pino";
import { prettyLine } from "./pretty-line";
import { redactFields } from "./redact";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "json" | "pretty";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger whose every line also carries `fields`, such as a session id. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  /** Takes one finished line, newline included; default: this process's standard output. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const write = options.write ?? writeToStdout();
  const format = options.format ?? "json";
  const instance = pino(
    {
      level: options.level ?? "info",
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redactFields(fields) },
    },
    { write: format === "json" ? write : (line: string) => write(prettyLine(line)) },
  );
  return wrap(instance);
}

/** Drops everything; for tests and for callers that have no interest. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function writeToStdout(): (line: string) => void {
  const destination = pino.destination({ dest: 1, sync: true });
  return (line) => destination.write(line);
}

function wrap(instance: pino.Logger): Logger {
  return {
    debug: (event, fields) => instance.debug(fields ?? {}, event),
    info: (event, fields) => instance.info(fields ?? {}, event),
    warn: (event, fields) => instance.warn(fields ?? {}, event),
    error: (event, fields) => instance.error(fields ?? {}, event),
    child: (fields) => wrap(instance.child(redactFields(fields))),
  };
}

/**
 * How the Azure Pipelines agent reads a task's output (its Command.TryParse and CommandStringConvertor): the first
 * `##vso[area.event key=value;…]data` of a line is obeyed, wherever it stands; `##[name]text` only changes how the log
 * looks, unless it is one of the names that open and close groups.
 */
export interface LoggingCommand {
  /** `task.setvariable`, or the name alone for `##[name]`. */
  readonly command: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

const unescape = (text: string) =>
  text
    .replaceAll("%3B", ";")
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%5D", "]")
    .replaceAll("%AZP25", "%");

/** Other names for the same thing, in the agent's own table. */
const aliases: Readonly<Record<string, string>> = { "task.issue": "task.logissue" };

/** The agent compares by its culture, which overlooks characters without width. */
const withoutInvisible = (line: string) => line.replace(/\p{Default_Ignorable_Code_Point}/gu, "");

export function readLoggingCommand(text: string): LoggingCommand | undefined {
  const line = withoutInvisible(text);
  const [, info, data = ""] = /##vso\[([^\]]*)\](.*)$/s.exec(line) ?? [];
  if (info !== undefined) return obeyed(info, data);
  const [, name, rest = ""] = /##\[([\w-]+)\](.*)$/s.exec(line) ?? [];
  return name === undefined ? undefined : { command: name.toLowerCase(), properties: {}, message: rest };
}

function obeyed(info: string, data: string): LoggingCommand | undefined {
  const [, name = "", list = ""] = /^(\S*) ?(.*)$/s.exec(info) ?? [];
  if (name.split(".").filter(Boolean).length !== 2) return undefined;
  const pairs = list.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    if (equals <= 0 || equals === pair.length - 1) return [];
    return [[pair.slice(0, equals).toLowerCase(), unescape(pair.slice(equals + 1))] as const];
  });
  const command = name.toLowerCase();
  return {
    command: aliases[command] ?? command,
    properties: Object.fromEntries(pairs),
    message: unescape(data),
  };
}

export const readLoggingCommands = (stdout: string): LoggingCommand[] =>
  stdout.split(/\r?\n/).flatMap((line) => readLoggingCommand(line) ?? []);

/** The environment variable that a variable, an input or a task variable becomes. */
export const environmentName = (name: string): string => name.replaceAll(/[. ]/g, "_").toUpperCase();

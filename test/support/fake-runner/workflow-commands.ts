export interface WorkflowCommand {
  readonly command: string;
  readonly message: string;
}

/**
 * The command that the runner would obey in a line: `::name key=value::data` at its beginning, leading blanks
 * notwithstanding, or the old `##[name]data` anywhere in it.
 */
export function readWorkflowCommand(line: string): WorkflowCommand | undefined {
  const [, command, data] =
    /^\s*::([\w-]+)(?:\s.*?)?::(.*)$/.exec(line) ?? /##\[([\w-]+)(?:\s[^\]]*)?\](.*)$/.exec(line) ?? [];
  if (command === undefined || data === undefined) return undefined;
  const message = data.replaceAll("%0A", "\n").replaceAll("%0D", "\r").replaceAll("%25", "%");
  return { command: command.toLowerCase(), message };
}

export const readWorkflowCommands = (stdout: string): WorkflowCommand[] =>
  stdout.split(/\r?\n/).flatMap((line) => readWorkflowCommand(line) ?? []);

const shownCommands = ["error", "warning", "notice", "debug", "group"];

/** What the job's log shows: commands carried out or shown by their message, secrets hidden from their mask on. */
export function renderLog(stdout: string, masks: Set<string>): string {
  return stdout
    .split(/\r?\n/)
    .flatMap((line) => {
      const found = readWorkflowCommand(line);
      if (found?.command === "add-mask") masks.add(found.message);
      if (found !== undefined && !shownCommands.includes(found.command)) return [];
      const text = found === undefined ? line : `[${found.command}] ${found.message}`;
      return [[...masks].reduce((shown, mask) => shown.replaceAll(mask, "***"), text)];
    })
    .join("\n");
}

export interface WorkflowCommand {
  readonly command: string;
  readonly message: string;
}

/** The `::command::` lines that the runner would obey: leading blanks do not hide them from it. */
export function readWorkflowCommands(stdout: string): WorkflowCommand[] {
  return [...stdout.matchAll(/^[ \t]*::([a-z-]+)(?: [^:]*)?::(.*)$/gm)].map(
    ([, command = "", message = ""]) => ({
      command,
      message: message.replaceAll("%0A", "\n").replaceAll("%0D", "\r").replaceAll("%25", "%"),
    }),
  );
}

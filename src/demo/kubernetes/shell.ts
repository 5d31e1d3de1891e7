/** What a pod of the embedded API can run: a shell of a few words, and `cat`. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** The shell has been told to end. */
  readonly isOver: boolean;
}

/** Runs a line: `echo WORDS`, `hostname`, `exit CODE`. */
export function runLine(line: string, hostname: string): Outcome {
  const [command = "", ...args] = line.trim().split(/\s+/).map(unquote);
  const done = { stdout: "", stderr: "", exitCode: 0, isOver: false };
  switch (command) {
    case "":
      return done;
    case "echo":
      return { ...done, stdout: `${args.join(" ")}\n` };
    case "hostname":
      return { ...done, stdout: `${hostname}\n` };
    case "exit":
      return { ...done, exitCode: exitCodeOf(args[0]), isOver: true };
    default:
      return { ...done, stderr: `sh: ${command}: not found\n`, exitCode: 127 };
  }
}

/** Runs lines until one ends the shell. */
export function runScript(script: string, hostname: string): Outcome {
  let sum: Outcome = { stdout: "", stderr: "", exitCode: 0, isOver: false };
  for (const line of script.split(/[;\n]/)) {
    if (sum.isOver) break;
    const { stdout, stderr, exitCode, isOver } = runLine(line, hostname);
    sum = { stdout: sum.stdout + stdout, stderr: sum.stderr + stderr, exitCode, isOver };
  }
  return sum;
}

const unquote = (word: string) => word.replace(/^(["'])(.*)\1$/, "$2");

const exitCodeOf = (text = "0") => (/^\d{1,3}$/.test(text) ? Number(text) & 0xff : 2);

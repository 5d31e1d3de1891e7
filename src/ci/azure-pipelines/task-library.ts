/**
 * The task library, kept quiet where it would repeat a secret: it writes every input and every parameter of an
 * endpoint that is asked for into a debug command, before anybody could mask it. On import it takes inputs and
 * credentials out of the environment, so that whatever wants them has to ask here.
 */
import { Writable } from "node:stream";
import * as library from "azure-pipelines-task-lib/task";

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

/** Runs `ask` while the library prints nothing. */
export function quietly<Value>(ask: (tasks: typeof library) => Value): Value {
  library.setStdStream(nowhere);
  try {
    return ask(library);
  } finally {
    library.setStdStream(process.stdout);
  }
}

export { library };

/** The folder that holds everything of one use of the action: kubeconfig, credential, control endpoint, log. */
import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";

const pattern = /^cluster-connect-[0-9a-f]{16}$/;

/** A path that nobody can guess or has made before. */
export const newInstanceDirectory = (tempDirectory: string): string =>
  join(tempDirectory, `cluster-connect-${randomBytes(8).toString("hex")}`);

/** Whether a path has the form of one: what is not is never deleted, whatever an environment variable says. */
export const isInstanceDirectory = (path: string): boolean => pattern.test(basename(path));

import { readFile, stat } from "node:fs/promises";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { TokenSource } from "./token-source";
import { receivedToken } from "./token";
import { extractToken, maxTokenBytes } from "./token-text";

/** Reads the file anew each time: projected service-account tokens are replaced under the same path. */
export function createTokenFileSource(path: string): TokenSource {
  return {
    description: `token file ${path}`,
    async fetch(signal) {
      let text: string;
      let writtenAtMs: number;
      try {
        writtenAtMs = (await stat(path)).mtimeMs;
        text = await readFile(path, { encoding: "utf8", ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        throw new ClusterConnectError("ERR_TOKEN_FILE_UNREADABLE", messageOf(error), { cause: error });
      }
      const token = text.length > maxTokenBytes ? undefined : extractToken(text);
      if (token === undefined)
        throw new ClusterConnectError("ERR_TOKEN_FILE_UNREADABLE", `${path} holds no token`);
      // The file may have been written long ago: its token's life began then, by this machine's clock.
      return { ...receivedToken(token), receivedAtMs: writtenAtMs };
    },
  };
}

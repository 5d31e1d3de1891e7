import type { Logger } from "../runtime/logger";
import { ArcBackend } from "./arc-backend";
import type { Backend, BackendEvents } from "./backend";
import type { StartRequest } from "./control";
import { RelayBackend } from "./relay-backend";

/** The way into the cluster that a request asks for. */
export function createBackend(request: StartRequest, logger: Logger, events: BackendEvents): Backend {
  const { backend } = request;
  return backend.kind === "relay"
    ? new RelayBackend({ ...request, backend }, logger, events)
    : new ArcBackend({ ...request, backend }, logger, events);
}

import type { Logger } from "../runtime/logger";
import type { Backend, BackendEvents } from "./backend";
import type { StartRequest } from "./control";
import { RelayBackend } from "./relay-backend";

/** The way into the cluster that a request asks for. */
export const createBackend = (request: StartRequest, logger: Logger, events: BackendEvents): Backend =>
  new RelayBackend(request, logger, events);

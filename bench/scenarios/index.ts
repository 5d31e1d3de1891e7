import type { Scenario } from "../scenario";
import { agents } from "./agents";
import { arcStart } from "./arc-start";
import { authProxy } from "./auth-proxy";
import { beside } from "./beside";
import { kubectl } from "./kubectl";
import { recovery } from "./recovery";
import { requests } from "./requests";
import { start } from "./start";
import { throughput } from "./throughput";
import { watches } from "./watches";

/** In the order in which they run and are reported. */
export const scenarios: readonly Scenario[] = [
  throughput,
  authProxy,
  requests,
  beside,
  watches,
  agents,
  recovery,
  start,
  arcStart,
  kubectl,
];

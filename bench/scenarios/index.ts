import type { Scenario } from "../scenario";
import { agents } from "./agents";
import { beside } from "./beside";
import { recovery } from "./recovery";
import { requests } from "./requests";
import { throughput } from "./throughput";
import { watches } from "./watches";

/** In the order in which they run and are reported. */
export const scenarios: readonly Scenario[] = [throughput, requests, beside, watches, agents, recovery];

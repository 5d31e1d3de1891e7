import type { Scenario } from "../scenario";
import { beside } from "./beside";
import { requests } from "./requests";
import { throughput } from "./throughput";

/** In the order in which they run and are reported. */
export const scenarios: readonly Scenario[] = [throughput, requests, beside];

import { errorTable } from "./entry";

export const relayErrors = errorTable({});

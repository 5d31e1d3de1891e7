import { errorTable } from "./entry";

export const agentErrors = errorTable({});

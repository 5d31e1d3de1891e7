import { errorTable } from "./entry";

export const clientProxyErrors = errorTable({});

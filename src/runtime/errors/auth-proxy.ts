import { errorTable } from "./entry";

export const authProxyErrors = errorTable({});

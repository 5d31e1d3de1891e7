import { errorTable } from "./entry";

export const identityErrors = errorTable({});

import { errorTable } from "./entry";

export const ciErrors = errorTable({});

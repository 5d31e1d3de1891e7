import { errorTable } from "./entry";

export const credentialErrors = errorTable({});

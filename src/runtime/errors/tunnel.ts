import { errorTable } from "./entry";

export const tunnelErrors = errorTable({});

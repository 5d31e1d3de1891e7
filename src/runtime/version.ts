import { name, version } from "../../package.json";

export { version };

/** Name and version, such as `cluster-connect/1.0.0`. */
export const productVersion = `${name}/${version}`;

/**
 * The header by which our relay gives the reason of a refused handshake as a code of the error registry. The published
 * protocol has a status and a sentence for people; a service that does not send the header is decided by status alone.
 */
export const refusalCodeHeader = "Cluster-Connect-Error";

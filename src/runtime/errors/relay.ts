import { errorTable } from "./entry";

export const relayErrors = errorTable({
  ERR_RELAY_LISTEN_FAILED: {
    hop: "relay",
    owner: "relay operator",
    summary: "the relay cannot listen",
    cause:
      "another process has the port, the address is not this machine's, or a port below 1024 needs a right.",
    remedy: "change listen.host or listen.port, or end what holds the port.",
  },
  ERR_RELAY_CERTIFICATE_INVALID: {
    hop: "relay",
    owner: "relay operator",
    summary: "the relay's certificate and key cannot be used",
    cause: "one of the files is not PEM, is encrypted, or the two do not belong together.",
    remedy: "check tls.certFile (the whole chain, leaf first) and tls.keyFile.",
  },
});

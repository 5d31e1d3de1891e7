import { isAllowedRendezvous } from "../../../src/hybrid-connections/rendezvous-policy";

const policy = {
  relayUrl: new URL("https://relay.example.com:8443"),
  allowedHosts: [".servicebus.windows.net", "other.example.com"],
};

describe("a rendezvous address", () => {
  it.each([
    "wss://relay.example.com:8443/$hc/a?sb-hc-action=accept",
    "wss://g1-prod-sb.servicebus.windows.net/$hc/a?x",
    "wss://other.example.com/$hc/a?x",
  ])("is followed when it is %s", (address) => expect(isAllowedRendezvous(address, policy)).toBe(true));

  it.each([
    ["another host", "wss://evil.example.com/$hc/a?x"],
    ["a host that merely ends like an allowed one", "wss://evilservicebus.windows.net/$hc/a?x"],
    ["a host with the relay's as a prefix", "wss://relay.example.com.evil.com:8443/$hc/a?x"],
    ["another port of the relay", "wss://relay.example.com:22/$hc/a?x"],
    ["no TLS", "ws://relay.example.com:8443/$hc/a?x"],
    ["another scheme", "https://relay.example.com:8443/$hc/a?x"],
    ["a user", "wss://user@relay.example.com:8443/$hc/a?x"],
    ["another path", "wss://relay.example.com:8443/admin?x"],
    ["no query", "wss://relay.example.com:8443/$hc/a"],
    ["a fragment", "wss://relay.example.com:8443/$hc/a?x#y"],
    ["no address", "kubernetes.default.svc"],
    ["the cluster's own apiserver", "wss://10.0.0.1:443/$hc/a?x"],
  ])("is refused when it names %s", (_, address) => expect(isAllowedRendezvous(address, policy)).toBe(false));
});

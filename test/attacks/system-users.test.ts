/** Names and groups that are parts of the cluster itself. */
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { attackWith, describeOnNodes } from "./fixture/describe-attack";
import { minted } from "./fixture/token-rows";

const refused = (name: string, claims: Readonly<Record<string, unknown>>) => minted(name, claims, [403]);

/** Without prefixes, which would make other names of them. */
const withoutPrefix = ({ issuer }: AttackedAuthProxy) => ({
  authentication: {
    jwt: [
      {
        issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
        claimMappings: { username: { claim: "sub", prefix: "" }, groups: { claim: "groups", prefix: "" } },
      },
    ],
  },
});

describeOnNodes(
  "system: users and groups",
  (proxy) =>
    attackWith(proxy, [
      refused("system:admin", { sub: "system:admin" }),
      refused("system:anonymous", { sub: "system:anonymous" }),
      refused("system:kube-controller-manager", { sub: "system:kube-controller-manager" }),
      refused("a service account", { sub: "system:serviceaccount:kube-system:default" }),
      refused("a node", { sub: "system:node:a" }),
      refused("system: alone", { sub: "system:" }),
      refused("system:masters, a group", { groups: ["system:masters"] }),
      refused("system:masters, the last of many", { groups: ["a", "b", "system:masters"] }),
      refused("system:masters, not in a list", { groups: "system:masters" }),
      refused("more groups than a token may have", {
        groups: Array.from({ length: 201 }, (_, i) => `g${i}`),
      }),
      minted("groups that are no text", { groups: [{ name: "system:masters" }] }, [401]),
      refused("groups that are elsewhere", {
        _claim_names: { groups: "s" },
        _claim_sources: { s: { endpoint: "https://graph.example" } },
      }),
      refused("groups that are too many to say", { groups: undefined, hasgroups: true }),
    ]),
  withoutPrefix,
);

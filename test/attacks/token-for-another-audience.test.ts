/** A token that its issuer has signed, for somebody else to read. */
import { describeAttack } from "./fixture/describe-attack";
import { forged, minted } from "./fixture/token-rows";

const audience = (aud: unknown) => minted(`aud ${JSON.stringify(aud)}`, { aud });

describeAttack("tokens for another audience", [
  audience("cluster-connect/plant-8"),
  audience("https://relay.example"),
  audience("api://AzureADTokenExchange"),
  audience("cluster-connect/plant-7/"),
  audience("CLUSTER-CONNECT/PLANT-7"),
  audience("cluster-connect/plant-77"),
  audience("cluster-connect"),
  audience(""),
  audience([]),
  audience(["cluster-connect/plant-8"]),
  audience([["cluster-connect/plant-7"]]),
  audience({ "cluster-connect/plant-7": true }),
  audience(7),
  audience(null),
  forged("no audience", (_, { issuer }) => issuer.mint({ aud: undefined })),
]);

/** Tokens outside their time, or with none. No leeway on `exp`, a minute on `nbf`, as the apiserver has it. */
import { describeAttack } from "./fixture/describe-attack";
import { forged, minted } from "./fixture/token-rows";

const now = Math.floor(Date.now() / 1_000);

describeAttack("tokens outside their time", [
  minted("expired an hour ago", { exp: now - 3_600 }),
  minted("expired a second ago", { exp: now - 1 }),
  minted("expired at the beginning", { exp: 0 }),
  minted("expires before all time", { exp: -1 }),
  minted("expires never", { exp: null }),
  minted("expires in words", { exp: "2999-01-01" }),
  minted("expires in text", { exp: String(now + 300) }),
  minted("expires in a list", { exp: [now + 300] }),
  forged("has no end", (_, { issuer }) => issuer.mint({}, { lifetimeSeconds: null })),
  minted("begins in an hour", { nbf: now + 3_600, exp: now + 7_200 }),
  minted("begins in words", { nbf: "now" }),
]);

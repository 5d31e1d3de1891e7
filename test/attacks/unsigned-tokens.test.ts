/** `alg: none` and its likes (RFC 8725 §2.1): a token that nobody has signed. */
import { describeAttack } from "./fixture/describe-attack";
import { signingInput, unsigned } from "./fixture/forged-token";
import { forged } from "./fixture/token-rows";

const none = (alg: unknown) =>
  forged(`alg ${JSON.stringify(alg)}`, ({ claims }) => unsigned({ header: { alg, typ: "JWT" }, claims }));

describeAttack("tokens without a signature", [
  none("none"),
  none("None"),
  none("NONE"),
  none(""),
  none(null),
  none(["none"]),
  forged("no alg", ({ claims }) => unsigned({ header: { typ: "JWT" }, claims })),
  forged("the issuer's own header, nothing behind it", (parts) => unsigned(parts)),
  forged("two parts", (parts) => signingInput(parts)),
  forged("a fourth part", (parts, { caller }) => `${signingInput(parts)}.${caller.token.split(".")[2]}.x`),
  forged("five parts, as an encrypted one has", (parts) => `${signingInput(parts)}.a.b.c`),
  forged(
    "a signature of nothing",
    (parts) => `${signingInput(parts)}.${Buffer.alloc(64).toString("base64url")}`,
  ),
  forged("alg none, and the issuer's signature", ({ claims, header }, { caller }) => {
    const input = signingInput({ header: { ...header, alg: "none" }, claims });
    return `${input}.${caller.token.split(".")[2]}`;
  }),
  forged("other claims under the issuer's signature", ({ header, claims }, { caller }) => {
    const input = signingInput({ header, claims: { ...claims, sub: "system:intruder" } });
    return `${input}.${caller.token.split(".")[2]}`;
  }),
]);

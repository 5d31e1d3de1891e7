/** A token without a name: the apiserver takes an empty Impersonate-User for the auth proxy itself. */
import { describeAttack } from "./fixture/describe-attack";
import { minted } from "./fixture/token-rows";

describeAttack("tokens that name nobody", [
  minted("an empty name", { sub: "" }),
  minted("a blank name", { sub: " " }),
  minted("a name of blanks that are none in ASCII", { sub: "\u00a0\u2003\u3000" }),
  minted("no name", { sub: undefined }),
  minted("null", { sub: null }),
  minted("a number", { sub: 0 }),
  minted("true", { sub: true }),
  minted("a list", { sub: ["repo:octo/app"] }),
  minted("an empty list", { sub: [] }),
  minted("an object", { sub: { toString: "x" } }),
  minted("a name with blanks at its edge", { sub: "octo " }, [403]),
  minted("a name that is longer than any", { sub: "a".repeat(5_000) }, [403]),
]);

/** Every function and operator that is offered, by name. */
import { arithmetic } from "./functions/arithmetic";
import { conversions } from "./functions/conversions";
import { lists, sets } from "./functions/lists";
import { matching } from "./functions/matching";
import { optionals } from "./functions/optionals";
import { relations } from "./functions/relations";
import { strings } from "./functions/strings";
import { overloadsOf, type Overload } from "./overload";

/** Language that is checked here and evaluated by the evaluator itself, since not all of it is always evaluated. */
const special = {
  "_&&_(bool, bool): bool": undefined,
  "_||_(bool, bool): bool": undefined,
  "_?_:_(bool, A, A): A": undefined,
  "_[_](list<A>, int): A": undefined,
  "_[_](map<A, B>, A): B": undefined,
  "_[_](optional<list<A>>, int): optional<A>": undefined,
  "_[_](optional<map<A, B>>, A): optional<B>": undefined,
  "_[?_](list<A>, int): optional<A>": undefined,
  "_[?_](optional<list<A>>, int): optional<A>": undefined,
  "_[?_](map<A, B>, A): optional<B>": undefined,
  "_[?_](optional<map<A, B>>, A): optional<B>": undefined,
};
const unreachable = () => {
  throw new Error("evaluated by the evaluator");
};

const all: readonly Overload[] = [
  ...overloadsOf(Object.fromEntries(Object.keys(special).map((signature) => [signature, unreachable]))),
  ...[arithmetic, relations, conversions, strings, lists, sets, optionals, matching].flatMap(overloadsOf),
];

const byName = new Map<string, Overload[]>();
for (const overload of all) byName.set(overload.name, [...(byName.get(overload.name) ?? []), overload]);

export const library: ReadonlyMap<string, readonly Overload[]> = byName;

/** What the kube-apiserver offers beyond: to be told from a mistyped name. */
export const notOffered: ReadonlySet<string> = new Set([
  ...[
    "authorizer",
    "bytes",
    "cidr",
    "duration",
    "format",
    "format.named",
    "ip",
    "isCIDR",
    "isIP",
    "isQuantity",
  ],
  ...["isSemver", "isURL", "quantity", "semver", "timestamp", "transformMapEntry", "uint", "url"],
]);

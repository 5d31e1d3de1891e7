/** Loaded before a program with probes; writes the number of each mutant that would have made a difference. */
const { appendFileSync } = require("node:fs");

const seen = new Set();
const note = (id) => {
  if (seen.has(id)) return;
  seen.add(id);
  appendFileSync(process.env.PROBES, `${id}\n`);
};
const noteIf = (id, isDifferent) => void (isDifferent && note(id));

const valueOf = (thunk) => {
  try {
    return { value: thunk() };
  } catch {
    return undefined;
  }
};

const shown = (match) => JSON.stringify([match, match?.index]);

globalThis.__probe = {
  reached: note,
  truthy(id, value) {
    noteIf(id, Boolean(value));
    return value;
  },
  falsy(id, value) {
    noteIf(id, !value);
    return value;
  },
  differs(id, value, other) {
    if (seen.has(id)) return value;
    const result = valueOf(other);
    noteIf(id, result === undefined || result.value !== value);
    return value;
  },
  part(id, value) {
    noteIf(id, [...value].length > 0);
    return value;
  },
  /** `test`, `match` and `replace` all come to `exec`. */
  pattern(id, expression, other) {
    const exec = expression.exec;
    return Object.assign(expression, {
      exec(text) {
        other.lastIndex = expression.lastIndex;
        const result = exec.call(expression, text);
        const otherResult = RegExp.prototype.exec.call(other, text);
        noteIf(id, shown(result) !== shown(otherResult));
        return result;
      },
    });
  },
  set(id, set) {
    const { has } = set;
    set.has = (member) => {
      const isMember = has.call(set, member);
      noteIf(id, isMember);
      return isMember;
    };
    set[Symbol.iterator] = () => {
      note(id);
      return Set.prototype[Symbol.iterator].call(set);
    };
    return set;
  },
};

/**
 * The ways to take a defence away. Each looks at one node of the syntax tree and calls `add(node, kind, replacement,
 * probe)`; a probe is a function of probe-runtime.cjs, with what it takes beside the original.
 */
import ts from "typescript";

/** Statements that tell, count or tidy up, and decide nothing. */
const telling =
  /^(void )?(this\.)?(#?context\.)?(logger|metrics|audit|clearTimeout|clearInterval|onConnections|this\.options\.onConnections)\b/;

/** Functions that start and stop the process: nobody's request is judged there. */
export const lifecycle = /^(listen|stopListening|dropAll|drained|drain|close|removeStaleSocket)$/;

const isString = (node) => ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node);

/** What is there, or is not: a value that may be left out is no decision. */
const isWhetherThere = /^(typeof \S+ |[\w.?!#]+( [!=]== (undefined|"")|\.length === 0)?$)/;

/** A check that never holds; a choice that is none. */
function condition(node, add, source) {
  if (ts.isIfStatement(node)) add(node.expression, "check removed", "false", ["truthy"]);
  if (!ts.isConditionalExpression(node) || isWhetherThere.test(node.condition.getText(source))) return;
  add(node.condition, "choice always the first", "true", ["falsy"]);
  add(node.condition, "choice always the second", "false", ["truthy"]);
}

/** One half of an `and`, or of an `or`. */
function logic(node, add, source) {
  if (!ts.isBinaryExpression(node)) return;
  const { kind } = node.operatorToken;
  if (kind !== ts.SyntaxKind.AmpersandAmpersandToken && kind !== ts.SyntaxKind.BarBarToken) return;
  const halves = { left: node.left.getText(source), right: node.right.getText(source) };
  for (const [side, text] of Object.entries(halves)) {
    add(node, `${side} half alone`, text, ["differs", `() => (${text})`]);
  }
}

/** A call that is made for its effect: a check, a cut, an end, a listener. */
function statement(node, add, source) {
  if (!ts.isExpressionStatement(node)) return;
  const call = ts.isVoidExpression(node.expression) ? node.expression.expression : node.expression;
  if (!ts.isCallExpression(call) || telling.test(node.getText(source))) return;
  add(node.expression, "call removed", "undefined", ["reached"]);
}

function throwing(node, add) {
  if (!ts.isThrowStatement(node) || ts.isIfStatement(node.parent)) return;
  // One that is the whole of an `if` is the check removed.
  const isWholeBlock = ts.isBlock(node.parent) && ts.isIfStatement(node.parent.parent);
  if (isWholeBlock && node.parent.statements.length === 1) return;
  add(node, "throw removed", ";", ["thrown"]);
}

/** Patterns that match everything, nothing, or in the middle. */
function pattern(node, add, source) {
  if (!ts.isRegularExpressionLiteral(node)) return;
  const [, body, flags] = /^\/(.*)\/([a-z]*)$/s.exec(node.getText(source));
  const other = (kind, text) => add(node, kind, text, ["pattern", text]);
  other("pattern matches everything", `/(?:)/${flags}`);
  other("pattern matches nothing", `/(?!)/${flags}`);
  if (body.startsWith("^")) other("start of pattern open", `/${body.slice(1)}/${flags}`);
  if (body.endsWith("$") && !body.endsWith("\\$"))
    other("end of pattern open", `/${body.slice(0, -1)}/${flags}`);
}

/** Sets without members, or without one of them, and lists without one of what they are put together of. */
function collection(node, add, source) {
  if (ts.isNewExpression(node) && node.expression.getText(source) === "Set" && node.arguments?.length === 1) {
    add(node, "set emptied", "new Set()", ["set"]);
  }
  if (!ts.isArrayLiteralExpression(node) || node.elements.every(isString)) return;
  for (const element of node.elements) {
    if (ts.isSpreadElement(element)) add(element.expression, "part left out", "[]", ["part"]);
    else if (ts.isArrayLiteralExpression(element)) add(element, "part left out", "...[]", ["reached"]);
  }
}

/** Another spelling, forgotten. */
function spelling(node, add, source) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
  const { name, expression, questionDotToken } = node.expression;
  if (!["toLowerCase", "trim"].includes(name.text) || (node.questionDotToken ?? questionDotToken)) return;
  const text = expression.getText(source);
  add(node, `${name.text} removed`, text, ["differs", `() => (${text})`]);
}

/** A bound that is never met: the longest time and the largest count that Node takes. */
function bound(node, add, source) {
  if (!ts.isPropertyAccessExpression(node) || ts.isPropertyAccessExpression(node.parent)) return;
  if (!/(^|\.)limits$/.test(node.expression.getText(source))) return;
  // Named in a message, or a log line.
  if (/^(String\(|\$\{|limit:)/.test(node.parent.getText(source))) return;
  add(node, "bound lifted", "2_147_483_647", ["reached"]);
}

export const operators = [condition, logic, statement, throwing, pattern, collection, spelling, bound];

/** What is mutated, what is run against it, and what changes nothing though it changes the text. */

/** Certificates and where they are kept, settings, commands, counting: nothing of a request passes through them. */
const aside =
  /^(certificate-.*|server-certificates|server-name|ca-bundle-file|directory-store|secret-store|settings|readiness|metrics|audit-record|command|main|auth-proxy|explain|connection-server|principal)\.ts$/;

/** The way to the apiserver, and the proxy's own credential there; the words of a refusal and of the audit line. */
const behind =
  /^(apiserver|apiserver-target|resolve-apiserver|kubeconfig-target|own-credential|own-request|refusal|audit)\.ts$/;

/**
 * What keeps a loss from looking like an end, and what repeats a request that nobody has seen; that is what
 * test/e2e/auth-proxy-{streaming,upgrades,lifecycle}.test.ts are about.
 */
const ends = /^(splice|websocket-guard|exec-status|linger|forward-request)\.ts$/;

/** What makes up for a fault of Node's, at a moment that nobody can choose; its unit test has it. */
const faults = /^stuck-write\.ts$/;

const elsewhere = [aside, behind, ends, faults];

export const deciding = (names) =>
  names.filter((name) => name.endsWith(".ts") && !elsewhere.some((these) => these.test(name)));

/** Attacks on the relay and the agent, on src/identity alone, and the fuzzer, whose finds are attacks by now. */
export const irrelevantAttacks =
  /^(fuzz-|guessed-|reused-|late-|sas-|sender-|listener-|header-injection|storm-|frame-|fragment-|stalled-legs|rendezvous-|stream-that|replayed-|unsigned-|algorithm-|token-for|expired-)/;

/** Mutants that nothing can tell from the original, each with the reason. */
const same = [
  [
    "http2-server.ts",
    "check removed",
    "arriving === undefined",
    "a session is announced within emit(), which follows",
  ],
  ["http2-server.ts", "right half alone", "stream.session &&", "no session has no origin, either way"],
  ["http2-session-end.ts", "choice always the first", "error === null", "a PING fails with its session"],
  [
    "admission.ts",
    "left half alone",
    "principal.kind === ",
    "nothing is known of whoever passes through, alone",
  ],
  [
    "admission.ts",
    "right half alone",
    "principal.kind === ",
    "nothing is known of whoever passes through, alone",
  ],
  ["nested-impersonation.ts", "end of pattern open", "/^[a-z0-9.-]+\\/.+$/", ".+ goes to the end of a key"],
  ["nested-impersonation.ts", "left half alone", "namespace === undefined ||", "both groups match, or none"],
  ["nested-impersonation.ts", "right half alone", "namespace === undefined ||", "both groups match, or none"],
  ["pipeline.ts", "left half alone", "arrival !== undefined &&", "who arrives so has had his upgrade judged"],
  [
    "pipeline.ts",
    "right half alone",
    "arrival !== undefined &&",
    "who arrives so has had his upgrade judged",
  ],
  ["proxy-header.ts", "check removed", "at + 3 > tlvs.length", "the read behind it throws as well"],
  ["proxy-header.ts", "left half alone", "sessionId === undefined ||", "both groups match, or none"],
  ["proxy-header.ts", "right half alone", "sessionId === undefined ||", "both groups match, or none"],
  [
    "proxy-header.ts",
    "choice always the second",
    "sessionId === undefined ||",
    "ids that are undefined are none",
  ],
  ["refuse.ts", "choice always the second", 'exchange.method === "HEAD"', "Node sends no body to HEAD"],
  [
    "request-info.ts",
    "left half alone",
    'segments[0] !== "namespaces" ||',
    "a single segment is read so anyway",
  ],
  ["request-info.ts", "start of pattern open", "/^\\/+/", "a target begins with a slash"],
  ["http2-session-end.ts", "check removed", "socket.destroyed", "what is destroyed is not destroyed again"],
  [
    "stream-deadline.ts",
    "left half alone",
    'end === "expiry" &&',
    "a timer without end is set anew for ever",
  ],
  ["upgrade-rules.ts", "trim removed", "value.trim()", "Node takes the blanks off values"],
  ["wanted-user.ts", "trim removed", "text.trim()", "Node takes the blanks off values"],
  [
    "wanted-user.ts",
    "throw removed",
    "throw malformed(`${name} is not UTF-8`)",
    "the next line throws, in other words",
  ],
];

export const equivalent = ({ file, kind, before }) =>
  same.find(
    ([name, kindOf, text]) => file.endsWith(`/${name}`) && kind === kindOf && before.startsWith(text),
  )?.[3];

/** Of the list above, what is of no mutant any more. */
export const unknownIn = (mutants) =>
  same.filter(
    ([name, kindOf, text]) =>
      !mutants.some(
        ({ file, kind, before }) => file.endsWith(`/${name}`) && kind === kindOf && before.startsWith(text),
      ),
  );

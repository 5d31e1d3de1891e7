/** The same AuthenticationConfiguration, the same tokens: what a real kube-apiserver makes of them is what we make. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { authenticationConfiguration } from "../../src/identity/configuration/settings";
import { createTokenVerifier, type TokenVerifier } from "../../src/identity/token-verifier";
import configurationTable from "../support/authentication-cases/configurations.json";
import {
  authenticationConfigurationOf,
  configurations,
} from "../support/authentication-cases/configurations";
import { startIssuers, type Issuers } from "../support/authentication-cases/issuers";
import { createKeys, type Keys } from "../support/authentication-cases/keys";
import { mint } from "../support/authentication-cases/mint";
import { normalized, outcomeOf } from "../support/authentication-cases/outcome";
import { tokenCases, type Outcome } from "../support/authentication-cases/tokens";
import { attachNode, eventually, run } from "./node";

const node = attachNode();
const examples = join(__dirname, "../../docs/examples/authentication");

describe("tokens", () => {
  let keys: Keys;
  let issuers: Issuers;
  let verifier: TokenVerifier;

  beforeAll(async () => {
    keys = await createKeys();
    issuers = await startIssuers(keys, node.state.addresses.host);
    const configuration = authenticationConfigurationOf(issuers.urlOf, issuers.caPem);
    verifier = createTokenVerifier(authenticationConfiguration.parse(configuration).jwt);
    await node.authenticateBy(configuration);
    // The apiserver fetches each issuer's keys by itself, some time after its start.
    for (const name of Object.keys(configurations)) {
      await eventually(`the apiserver's keys of ${name}`, 30_000, async () => {
        const { error } = await node.reviewToken(await mint({}, issuers.urlOf(name), keys));
        return error?.includes("not initialized") === true ? undefined : true;
      });
    }
  }, 120_000);
  afterAll(async () => {
    verifier.close();
    await issuers.close();
    await node.authenticateBy();
  }, 120_000);

  async function atApiserver(token: string): Promise<Outcome> {
    const { authenticated = false, user } = await node.reviewToken(token);
    if (!authenticated) return "refused";
    return normalized({ ...user, username: user?.username ?? "" });
  }
  const here = (token: string): Promise<Outcome> =>
    verifier.verify(token).then(
      ({ identity }) => outcomeOf(identity),
      () => "refused" as const,
    );

  it.each(tokenCases.map((item) => [item.name, item.to, item] as const))("%s (%s)", async (_, to, item) => {
    const token = await mint(item, issuers.urlOf(to), keys);
    const [theirs, ours] = [await atApiserver(token), await here(token)];
    expect({ theirs, ours }).toEqual({
      theirs: normalized(item.apiserver),
      ours: normalized(item.here ?? item.apiserver),
    });
  });
});

interface ConfigurationCase {
  readonly name: string;
  readonly configuration: { readonly jwt: readonly object[]; readonly [key: string]: unknown };
  readonly apiserver: readonly string[] | "undecodable";
}

interface Entry {
  readonly issuer?: { readonly url?: unknown };
}
const commonUrl = "https://issuer.example.com";

function standsAlone({ configuration, apiserver }: ConfigurationCase): boolean {
  const { jwt, ...top } = configuration;
  const url = (jwt[0] as Entry | undefined)?.issuer?.url;
  return (
    jwt.length === 1 && Object.keys(top).length === 0 && apiserver !== "undecodable" && url === commonUrl
  );
}

const withOwnUrl = (entry: Entry, at: number) => ({
  ...entry,
  issuer: JSON.parse(
    JSON.stringify(entry.issuer).replaceAll(commonUrl, `https://i${String(at)}.example.com`),
  ) as object,
});

describe("configurations", () => {
  const cases = configurationTable as unknown as readonly ConfigurationCase[];
  const folder = mkdtempSync(join(tmpdir(), "authentication-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What an apiserver says when it is started with this configuration and one more entry, which it cannot accept. */
  async function refusalOf(configuration: ConfigurationCase["configuration"]): Promise<string> {
    const file = join(folder, "configuration.json");
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "AuthenticationConfiguration",
        ...configuration,
        jwt: [...configuration.jwt, { issuer: {}, claimMappings: {} }],
      }),
    );
    const [program = "", ...flags] = node.command("kube-apiserver");
    const own = flags.filter((flag) => !/^--(authentication-config|audit-|secure-port)/.test(flag));
    const options = { timeoutMs: 60_000 };
    const started = await run(
      program,
      [...own, `--authentication-config=${file}`, "--secure-port=6444"],
      options,
    );
    expect(started.code).not.toBe(0);
    return started.stderr;
  }

  const pattern =
    /\b((?:jwt|anonymous)[\w.[\]]*): (Required value|Invalid value|Duplicate value|Too many|Internal error)/g;
  const problemsIn = (text: string) =>
    [...text.matchAll(pattern)].map(([, path = "", kind = ""]) => `${path}: ${kind}`);

  /** Entries that stand alone go to the apiserver together, each made an issuer of its own. */
  const [alone, others] = [cases.filter(standsAlone), cases.filter((item) => !standsAlone(item))];

  it.each(others.map((item) => [item.name, item] as const))(
    "with %s",
    async (_, { configuration, apiserver }) => {
      const text = await refusalOf(configuration);
      if (apiserver === "undecodable") return expect(text).toMatch(/strict decoding error|cannot unmarshal/);
      const last = `jwt[${String(configuration.jwt.length)}]`;
      const problems = problemsIn(text).filter((problem) => !problem.startsWith(last));
      expect([...new Set(problems)].sort()).toEqual(apiserver.map((problem) => problem).sort());
    },
  );

  it("the ready examples", async () => {
    for (const file of readdirSync(examples)) {
      const { jwt } = parse(readFileSync(join(examples, file), "utf8")) as { jwt: Entry[] };
      const plain = jwt.map((entry) => ({ ...entry, issuer: { ...entry.issuer, jwksFile: undefined } }));
      // Of the entry that was put behind, and of no other.
      const last = `jwt[${String(jwt.length)}]`;
      const problems = problemsIn(await refusalOf({ jwt: plain }));
      expect({ file, problems: problems.filter((problem) => !problem.startsWith(last)) }).toEqual({
        file,
        problems: [],
      });
    }
  });

  const chunks = Array.from({ length: Math.ceil(alone.length / 50) }, (_, at) =>
    alone.slice(at * 50, at * 50 + 50),
  );
  it.each(chunks.map((chunk, at) => [at + 1, chunk] as const))("of one entry, part %i", async (_, chunk) => {
    const jwt = chunk.map(({ configuration }, at) => withOwnUrl(configuration.jwt[0] as Entry, at));
    const problems = problemsIn(await refusalOf({ jwt }));
    for (const [at, { name, apiserver }] of chunk.entries()) {
      const own = problems.filter((problem) => problem.startsWith(`jwt[${String(at)}].`));
      const renumbered = own.map((problem) => problem.replace(/^jwt\[\d+\]/, "jwt[0]"));
      expect({ name, problems: [...new Set(renumbered)].sort() }).toEqual({ name, problems: apiserver });
    }
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { authenticationConfiguration } from "../../../src/identity/configuration/settings";
import { createTokenVerifier, type TokenVerifier } from "../../../src/identity/token-verifier";
import { ClusterConnectError } from "../../../src/runtime/errors";
import { authenticationConfigurationOf } from "../../support/authentication-cases/configurations";
import configurationTable from "../../support/authentication-cases/configurations.json";
import { startIssuers, type Issuers } from "../../support/authentication-cases/issuers";
import { createKeys, type Keys } from "../../support/authentication-cases/keys";
import { mint } from "../../support/authentication-cases/mint";
import { normalized, outcomeOf } from "../../support/authentication-cases/outcome";
import { differences, tokenCases, type Outcome } from "../../support/authentication-cases/tokens";

describe("the table of tokens", () => {
  let keys: Keys;
  let issuers: Issuers;
  let verifier: TokenVerifier;

  beforeAll(async () => {
    keys = await createKeys();
    issuers = await startIssuers(keys);
    const { jwt } = authenticationConfiguration.parse(
      authenticationConfigurationOf(issuers.urlOf, issuers.caPem),
    );
    verifier = createTokenVerifier(jwt, { limits: { keyCooldownMs: 60_000 } });
  });
  afterAll(async () => {
    verifier.close();
    await issuers.close();
  });

  async function outcome(token: string): Promise<Outcome> {
    try {
      return outcomeOf((await verifier.verify(token)).identity);
    } catch (error) {
      expect(error).toBeInstanceOf(ClusterConnectError);
      return "refused";
    }
  }

  it.each(tokenCases.map((item) => [item.name, item.to, item] as const))("%s (%s)", async (_, to, item) => {
    const token = await mint(item, issuers.urlOf(to), keys);
    expect(await outcome(token)).toEqual(normalized(item.here ?? item.apiserver));
  });

  it("has a reason for every difference, and no reason that nothing needs", () => {
    const used = new Set(tokenCases.map(({ differs }) => differs).filter((reason) => reason !== undefined));
    expect([...used].sort()).toEqual(Object.keys(differences).sort());
    expect(
      tokenCases.filter(({ here, differs }) => (here === undefined) !== (differs === undefined)),
    ).toEqual([]);
    expect(tokenCases.length).toBeGreaterThan(60);
  });

  it("and the table of configurations differ from a kube-apiserver only as docs/authentication.md says", () => {
    const page = readFileSync(join(__dirname, "../../../docs/authentication.md"), "utf8");
    const ofConfigurations = configurationTable.flatMap((item) => ("differs" in item ? [item.differs] : []));
    const unsaid = [...Object.values(differences), ...ofConfigurations].filter(
      (reason) => !page.includes(reason),
    );
    expect(unsaid).toEqual([]);
  });
});

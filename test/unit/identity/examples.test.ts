/** The ready examples of docs/examples/authentication, with tokens that have the claims the platforms send. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { authenticationConfiguration } from "../../../src/identity/configuration/settings";
import { identityPolicy } from "../../../src/identity/identity-policy";
import { createTokenVerifier, type TokenVerifier } from "../../../src/identity/token-verifier";
import { createKeys, type Keys } from "../../support/authentication-cases/keys";
import { mint } from "../../support/authentication-cases/mint";
import {
  guid,
  github,
  immutable,
  pipeline,
  connection,
  entraConnection,
  user,
  guest,
  app,
  v1,
  overage,
  entraUser,
  serviceAccount,
  gitlab,
  type Claims,
} from "../../support/authentication-cases/platform-claims";

const folder = join(__dirname, "../../../docs/examples/authentication");
interface Document {
  jwt: { issuer: Record<string, unknown> }[];
}

interface Example {
  /** Beside `groups: []` and `extra: {}`. */
  readonly accepted: readonly (readonly [what: string, claims: Claims, identity: object])[];
  readonly refused: readonly (readonly [what: string, claims: Claims, reason: string])[];
}

const githubIdentity = {
  username: "github:42:production",
  groups: ["github:production"],
  extra: { "example.com/actor-id": ["583231"], "example.com/ref": ["refs/heads/main"] },
};

const examples: Readonly<Record<string, Example>> = {
  "github-actions.yaml": {
    accepted: [
      ["a job whose subject has names", github, githubIdentity],
      ["a job whose subject has ids", { ...github, ...immutable }, githubIdentity],
      [
        "a job of another repository and environment",
        { ...github, repository_id: "43", environment: "staging" },
        { ...githubIdentity, username: "github:43:staging", groups: ["github:staging"] },
      ],
    ],
    refused: [
      ["another owner", { ...github, repository_owner_id: "66" }, "only repositories of octo-org"],
      ["another repository", { ...github, repository_id: "44" }, "only the repositories"],
      [
        "no environment",
        { ...github, environment: undefined, sub: "repo:octo-org/app:ref:refs/heads/main" },
        "only jobs with",
      ],
      [
        "a pull request",
        {
          ...github,
          environment: undefined,
          event_name: "pull_request",
          sub: "repo:octo-org/app:pull_request",
        },
        "only jobs with",
      ],
      [
        "another workflow",
        { ...github, job_workflow_ref: "octo-org/app/.github/workflows/x.yml@refs/heads/main" },
        "only the workflow",
      ],
      [
        "the workflow on a branch",
        { ...github, job_workflow_ref: `${String(github.job_workflow_ref)}2` },
        "only the workflow",
      ],
      ["the default audience", { ...github, aud: "https://github.com/octo-org" }, "ERR_TOKEN_AUDIENCE"],
    ],
  },
  "github-actions-sub.yaml": {
    accepted: [
      ["a subject with names", github, { username: "github:app-production" }],
      ["a subject with ids", { ...github, ...immutable }, { username: "github:app-production" }],
    ],
    refused: [
      ["another environment", { ...github, sub: "repo:octo-org/app:environment:production2" }, "only app's"],
      [
        "the same names with other ids",
        { ...github, sub: "repo:octo-org@66/app@42:environment:production" },
        "only app's",
      ],
      [
        "a name that begins alike",
        { ...github, sub: "repo:octo-org/app-2:environment:production" },
        "only app's",
      ],
    ],
  },
  "azure-devops.yaml": {
    accepted: [
      ["a pipeline", pipeline, { username: "azure-devops:p://octo/plants/deploy" }],
      ["a generic connection", connection, { username: "azure-devops:sc://octo/plants/plant-7" }],
      [
        "a connection whose issuer is Entra",
        entraConnection,
        { username: "azure-devops:7e6d5c4b-3a29-4817-a605-f4e3d2c1b0a9" },
      ],
    ],
    refused: [
      [
        "another organisation",
        { ...pipeline, iss: `https://vstoken.dev.azure.com/${guid("1")}` },
        "ERR_TOKEN_ISSUER_UNKNOWN",
      ],
      ["another pipeline", { ...pipeline, sub: "p://octo/plants/deploy2" }, "only the pipeline"],
      ["the name in another project", { ...pipeline, prj_id: guid("1") }, "whatever its name"],
      ["another connection", { ...connection, sub: "sc://octo/plants/plant-8" }, "only the pipeline"],
      [
        "another connection at Entra",
        { ...entraConnection, sub: `${String(entraConnection.sub)}0` },
        "claim sub must be",
      ],
      [
        "another application's token at Entra",
        { ...entraConnection, azp: guid("1") },
        "only tokens that Azure DevOps",
      ],
      ["a user at Entra", { ...entraConnection, idtyp: "user" }, "only tokens that Azure DevOps"],
    ],
  },
  "entra.yaml": {
    accepted: [
      ["a user, v2", user, entraUser],
      ["a user, v1", v1, entraUser],
      ["a user who is in no group", { ...user, groups: undefined }, { ...entraUser, groups: [] }],
      [
        "an application, v2",
        app,
        { username: `entra:app:${guid("10")}`, uid: guid("10"), groups: ["entra:role:Deploy"] },
      ],
      [
        "an application, v1",
        { ...app, iss: v1.iss, aud: v1.aud, ver: "1.0", appid: app.azp },
        { username: `entra:app:${guid("10")}`, uid: guid("10"), groups: ["entra:role:Deploy"] },
      ],
    ],
    refused: [
      ["a guest, v2", { ...user, ...guest }, "guests of the tenant"],
      ["a guest, v1", { ...v1, ...guest }, "guests of the tenant"],
      ["an application that does not say so", { ...app, idtyp: undefined }, "must say idtyp app"],
      ["another tenant", { ...user, tid: guid("1") }, "claim tid must be"],
      [
        "a token for Microsoft Graph",
        { ...v1, aud: "00000003-0000-0000-c000-000000000000" },
        "ERR_TOKEN_AUDIENCE",
      ],
      ["the audience of the other version", { ...user, aud: "api://plant-7" }, "ERR_TOKEN_AUDIENCE"],
      ["more than 200 groups, v2", { ...user, ...overage }, "does not hold all of the caller's groups"],
      ["more than 200 groups, v1", { ...v1, ...overage }, "does not hold all of the caller's groups"],
      [
        "groups in the implicit flow",
        { ...v1, groups: undefined, hasgroups: "true" },
        "does not hold all of the caller's groups",
      ],
    ],
  },
  "kubernetes-service-account.yaml": {
    accepted: [["a bound token", serviceAccount, { username: "system:serviceaccount:ci:deployer" }]],
    refused: [
      [
        "another account of the namespace",
        { ...serviceAccount, sub: "system:serviceaccount:ci:builder" },
        "ERR_IDENTITY_RESERVED",
      ],
      [
        "another namespace",
        {
          ...serviceAccount,
          sub: "system:serviceaccount:dev:deployer",
          "kubernetes.io": { namespace: "dev" },
        },
        "only service accounts",
      ],
      [
        "the apiserver's own audience",
        { ...serviceAccount, aud: ["https://kubernetes.default.svc.cluster.local"] },
        "ERR_TOKEN_AUDIENCE",
      ],
      ["a token that lives for a year", { ...serviceAccount, iat: 1, exp: 4_102_444_800 }, "a day at most"],
      ["a token from a Secret", { ...serviceAccount, "kubernetes.io": undefined }, "ERR_TOKEN_EXPRESSION"],
    ],
  },
  "gitlab-ci.yaml": {
    accepted: [
      ["a job", gitlab, { username: "gitlab:20:production", extra: { "example.com/user-id": ["1"] } }],
    ],
    refused: [
      ["another project", { ...gitlab, project_id: "22" }, "only the projects"],
      ["another namespace", { ...gitlab, namespace_id: "73" }, "only the projects"],
      [
        "a branch that is not protected",
        { ...gitlab, ref_protected: "false" },
        "claim ref_protected must be",
      ],
      ["no environment", { ...gitlab, environment: undefined }, "only jobs of the protected"],
      [
        "an environment that is not protected",
        { ...gitlab, environment_protected: "false" },
        "only jobs of the protected",
      ],
      [
        "another pipeline file",
        { ...gitlab, ci_config_ref_uri: "gitlab.com/octo/app//x.yml@refs/heads/main" },
        "only the pipeline",
      ],
    ],
  },
};

describe("the ready examples", () => {
  let keys: Keys;
  beforeAll(async () => {
    keys = await createKeys();
  });

  it("are all here", () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(examples).sort());
  });

  describe.each(Object.entries(examples))("%s", (file, { accepted, refused }) => {
    let verifier: TokenVerifier;
    beforeAll(() => {
      const document = parse(readFileSync(join(folder, file), "utf8")) as Document;
      for (const { issuer } of document.jwt) {
        issuer["jwks"] = { keys: keys.published };
        delete issuer["jwksFile"];
      }
      const policy = identityPolicy.parse({ allowSystemNames: ["system:serviceaccount:ci:deployer"] });
      verifier = createTokenVerifier(authenticationConfiguration.parse(document).jwt, { policy });
    });
    afterAll(() => verifier.close());
    const verify = async (claims: Claims) =>
      verifier.verify(await mint({ claims }, String(claims.iss), keys));

    it.each(accepted)("makes a user of %s", async (_, claims, identity) => {
      expect((await verify(claims)).identity).toEqual({ groups: [], extra: {}, ...identity });
    });

    it.each(refused)("refuses %s, with the reason", async (_, claims, reason) => {
      const failure = await verify(claims).then(
        () => undefined,
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
      expect(failure).toContain(reason);
    });
  });
});

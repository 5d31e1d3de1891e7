/** Claims as CI platforms and identity providers send them, for tokens that the ready examples are shown. */
export type Claims = Readonly<Record<string, unknown>>;

export const guid = (last: string) => `00000000-0000-4000-8000-${last.padStart(12, "0")}`;
const tenant = "72f988bf-0000-4000-8000-2d7cd011db47";
const organisation = "0d8a6f3e-2f4c-4a1b-9c53-6c1de0a1b2c3";

export const github: Claims = {
  iss: "https://token.actions.githubusercontent.com",
  aud: "cluster-connect/plant-7",
  sub: "repo:octo-org/app:environment:production",
  actor: "octocat",
  actor_id: "583231",
  base_ref: "",
  environment: "production",
  event_name: "push",
  head_ref: "",
  job_workflow_ref: "octo-org/workflows/.github/workflows/deploy.yml@refs/heads/main",
  job_workflow_sha: "f".repeat(40),
  ref: "refs/heads/main",
  ref_protected: "true",
  ref_type: "branch",
  repository: "octo-org/app",
  repository_id: "42",
  repository_owner: "octo-org",
  repository_owner_id: "65",
  repository_visibility: "private",
  run_attempt: "1",
  run_id: "9876543210",
  run_number: "17",
  runner_environment: "github-hosted",
  sha: "e".repeat(40),
  workflow: "deploy",
  workflow_ref: "octo-org/app/.github/workflows/main.yml@refs/heads/main",
  jti: guid("1"),
};
export const immutable = { sub: "repo:octo-org@65/app@42:environment:production" };

export const pipeline: Claims = {
  iss: `https://vstoken.dev.azure.com/${organisation}`,
  aud: "api://AzureADTokenExchange",
  sub: "p://octo/plants/deploy",
  org_id: organisation,
  prj_id: "5b0f1f0c-7b8d-4f57-8d0c-1f2e3d4c5b6a",
  def_id: "12",
  run_id: "3456",
  rpo_id: guid("2"),
  rpo_uri: "https://dev.azure.com/octo/plants/_git/plants",
  rpo_ref: "refs/heads/main",
  jti: guid("3"),
};
export const connection: Claims = {
  iss: pipeline.iss,
  aud: pipeline.aud,
  sub: "sc://octo/plants/plant-7",
  jti: guid("4"),
};
export const entraConnection: Claims = {
  iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
  aud: "fb60f99c-7a34-4190-8149-302f77469936",
  azp: "499b84ac-1321-427f-aa17-267ca6975798",
  azpacr: "2",
  idtyp: "app",
  oid: guid("5"),
  tid: tenant,
  ver: "2.0",
  uti: "Xk3v",
  sub: `/eid1/c/pub/t/v4j5cgAAAECAAC180BHbRw/a/rISbSSETf0KqFyZ8ppdXmA/sc/${organisation}/7e6d5c4b-3a29-4817-a605-f4e3d2c1b0a9`,
};

export const user: Claims = {
  iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
  aud: "11111111-2222-4333-8444-555555555555",
  azp: guid("6"),
  azpacr: "0",
  groups: [guid("7"), guid("8")],
  name: "An Operator",
  oid: guid("9"),
  preferred_username: "operator@octo.example",
  rh: "0.AQ",
  scp: "cluster.connect",
  sub: "pairwise",
  tid: tenant,
  uti: "u",
  ver: "2.0",
};
export const guest = { idp: "https://sts.windows.net/aaaaaaaa-0000-4000-8000-000000000000/" };
const { scp: _scp, groups: _groups, name: _name, preferred_username: _upn, ...unattended } = user;
export const app: Claims = {
  ...unattended,
  azpacr: "2",
  idtyp: "app",
  roles: ["Deploy"],
  oid: guid("10"),
  sub: guid("10"),
};
export const v1: Claims = {
  ...user,
  iss: `https://sts.windows.net/${tenant}/`,
  aud: "api://plant-7",
  appid: guid("6"),
  appidacr: "0",
  azp: undefined,
  azpacr: undefined,
  preferred_username: undefined,
  unique_name: "operator@octo.example",
  upn: "operator@octo.example",
  ver: "1.0",
};
export const overage = {
  groups: undefined,
  _claim_names: { groups: "src1" },
  _claim_sources: { src1: { endpoint: "https://graph.windows.net/72f9/users/9/getMemberObjects" } },
};
export const entraUser = {
  username: `entra:user:${guid("9")}`,
  uid: guid("9"),
  groups: [guid("7"), guid("8")].map((id) => `entra:${id}`),
};

export const serviceAccount: Claims = {
  iss: "https://kubernetes.default.svc.cluster.local",
  aud: ["cluster-connect/plant-7"],
  sub: "system:serviceaccount:ci:deployer",
  "kubernetes.io": { namespace: "ci", serviceaccount: { name: "deployer", uid: guid("11") } },
  jti: guid("12"),
};

export const gitlab: Claims = {
  iss: "https://gitlab.com",
  aud: "cluster-connect/plant-7",
  sub: "project_path:octo/app:ref_type:branch:ref:main",
  namespace_id: "72",
  namespace_path: "octo",
  project_id: "20",
  project_path: "octo/app",
  user_id: "1",
  user_login: "operator",
  user_email: "operator@octo.example",
  user_access_level: "maintainer",
  pipeline_id: "574",
  pipeline_source: "push",
  job_id: "302",
  ref: "main",
  ref_type: "branch",
  ref_path: "refs/heads/main",
  ref_protected: "true",
  environment: "production",
  environment_protected: "true",
  deployment_tier: "production",
  runner_id: 1,
  runner_environment: "gitlab-hosted",
  sha: "d".repeat(40),
  project_visibility: "private",
  ci_config_ref_uri: "gitlab.com/octo/app//.gitlab-ci.yml@refs/heads/main",
  ci_config_sha: "d".repeat(40),
  jti: guid("13"),
};

/** Where a job's identity tokens come from, and why there may be none. */
import { readFileSync } from "node:fs";
import * as core from "@actions/core";
import type { AssertionSpec } from "../../credentials/token-source-spec";
import { ClusterConnectError } from "../../runtime/errors";
import type { PlatformIdentity } from "../platform";

type Environment = Readonly<Record<string, string | undefined>>;

/** Two tokens of two audiences, each of its own; the one for Microsoft Entra is shown to Entra alone. */
export const createGitHubIdentity = (environment: Environment): PlatformIdentity => ({
  choosesAudience: true,
  token: ({ audience }) => assertion(environment, audience),
  entraClient(login) {
    if (login.kind !== "application") throw new TypeError("GitHub has no service connections");
    const { authority, tenantId, clientId } = login;
    return {
      authority,
      tenantId,
      clientId,
      assertion: assertion(environment, exchangeAudienceOf(authority)),
    };
  },
});

/** What a federated credential of Microsoft Entra expects, which each national cloud spells in its own way. */
const exchangeAudience = "api://AzureADTokenExchange";
const nationalClouds: readonly (readonly [host: RegExp, suffix: string])[] = [
  [/\.us$/, "USGov"],
  [/\.cn$/, "China"],
];

function exchangeAudienceOf(authority: string): string {
  const { hostname } = new URL(authority);
  return exchangeAudience + (nationalClouds.find(([host]) => host.test(hostname))?.[1] ?? "");
}

/** Throws ERR_CI_OIDC_FORK or ERR_CI_OIDC_NOT_PERMITTED: to the runner both look the same, the event tells them apart. */
function assertion(environment: Environment, audience: string): AssertionSpec {
  const requestUrl = environment["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const requestToken = environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (requestUrl && requestToken) {
    core.setSecret(requestToken);
    return { kind: "github-oidc", requestUrl, requestToken, audience };
  }
  if (isForkPullRequest(environment)) throw new ClusterConnectError("ERR_CI_OIDC_FORK");
  const who = environment["GITHUB_ACTOR"] === "dependabot[bot]" ? "the job runs for Dependabot" : "";
  throw new ClusterConnectError("ERR_CI_OIDC_NOT_PERMITTED", who);
}

/** `pull_request_target` is not among them: it runs for the base repository, with what that grants. */
const forkEvents: readonly (string | undefined)[] = [
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
];

function isForkPullRequest(environment: Environment): boolean {
  if (!forkEvents.includes(environment["GITHUB_EVENT_NAME"])) return false;
  try {
    const event = JSON.parse(readFileSync(environment["GITHUB_EVENT_PATH"] ?? "", "utf8")) as {
      pull_request?: { head?: { repo?: { full_name?: string } | null } };
      repository?: { full_name?: string };
    };
    const head = event.pull_request?.head;
    // The repository is null once the fork has been deleted. `fork` would say whether *it* is one, which ours may be.
    return head !== undefined && head.repo?.full_name !== event.repository?.full_name;
  } catch {
    return false;
  }
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGitHubIdentity } from "../../../../src/ci/github/identity";

const repository = { full_name: "octo/app" };
const pullRequestFrom = (repo: object | null) => ({ repository, pull_request: { head: { repo } } });

describe("a GitHub job without the right to request tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "event-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const why = (name: string, event: unknown, more: Record<string, string> = {}) => {
    const path = join(folder, "event.json");
    writeFileSync(path, JSON.stringify(event));
    try {
      createGitHubIdentity({ GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path, ...more }).token({
        audience: "a",
        serviceConnection: undefined,
      });
    } catch (error) {
      return error as { code: string; detail: string };
    }
    throw new Error("it has it");
  };

  it.each([
    ["a push", "push", { repository }, "ERR_CI_OIDC_NOT_PERMITTED"],
    ["its own pull request", "pull_request", pullRequestFrom(repository), "ERR_CI_OIDC_NOT_PERMITTED"],
    [
      "a pull request of a fork",
      "pull_request",
      pullRequestFrom({ full_name: "evil/app" }),
      "ERR_CI_OIDC_FORK",
    ],
    ["one whose fork is gone", "pull_request", pullRequestFrom(null), "ERR_CI_OIDC_FORK"],
    [
      "a fork's, on the base's behalf",
      "pull_request_target",
      pullRequestFrom({ full_name: "evil/app" }),
      "ERR_CI_OIDC_NOT_PERMITTED",
    ],
    ["an event that cannot be read", "pull_request", "?", "ERR_CI_OIDC_NOT_PERMITTED"],
  ])("is told why for %s", (_, name, event, code) => {
    expect(why(name, event).code).toBe(code);
  });

  it("is told that it runs for Dependabot", () => {
    expect(why("push", {}, { GITHUB_ACTOR: "dependabot[bot]" }).detail).toContain("Dependabot");
  });
});

describe("a GitHub job's login at Microsoft Entra", () => {
  const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
  afterAll(() => write.mockRestore());

  it.each([
    ["https://login.microsoftonline.com", "api://AzureADTokenExchange"],
    ["https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"],
    ["https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"],
  ])("at %s shows an assertion for %s", (authority, audience) => {
    const identity = createGitHubIdentity({
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://identity.invalid/token",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
    });
    const login = { kind: "application", clientId: "client", tenantId: "tenant", authority } as const;
    expect(identity.entraClient(login)).toEqual({
      authority,
      tenantId: "tenant",
      clientId: "client",
      assertion: expect.objectContaining({ kind: "github-oidc", audience }) as object,
    });
  });
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../support/bundle-process";
import { Job } from "../support/fake-runner/job";

/** What only GitHub has; test/e2e/ci-job.test.ts has the rest. */
describe("the action", () => {
  it("tells a fork's pull request from a missing permission", async () => {
    const job = await Job.start({ idToken: false, mint: () => Promise.reject(new Error("nobody asks")) });
    try {
      const event = join(job.folder, "event.json");
      writeFileSync(
        event,
        JSON.stringify({
          repository: { full_name: "octo/app" },
          pull_request: { head: { repo: { full_name: "evil/app" } } },
        }),
      );
      const env = { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: event };
      const inputs = { "cluster-name": "plant-7", "relay-url": "https://relay.invalid" };
      const result = await job.run("one", bundle("github-main"), inputs, { env });
      expect(result.errors()).toEqual([expect.stringContaining("(ERR_CI_OIDC_FORK)")]);
      expect(job.leftoverProcesses()).toEqual([]);
    } finally {
      await job.close();
    }
  });
});

import { childEnvironment } from "../../../src/ci/child-environment";

describe("the client proxy's environment", () => {
  it("holds what it needs, by name, and nothing else of the job's", () => {
    const needed = {
      PATH: "/bin",
      RUNNER_TRACKING_ID: "github_1",
      HTTPS_PROXY: "http://proxy",
      no_proxy: "localhost",
      NODE_EXTRA_CA_CERTS: "/ca.pem",
    };
    const job = {
      ...needed,
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://identity",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "secret",
      GITHUB_TOKEN: "secret",
      AWS_SECRET_ACCESS_KEY: "secret",
      "INPUT_RELAY-KEY": "secret",
      NODE_OPTIONS: "--require /evil.js",
      HTTP_PROXY: undefined,
    };
    expect(childEnvironment(job)).toEqual(needed);
  });
});

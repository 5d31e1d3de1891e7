import { errorTable } from "./entry";

export const ciErrors = errorTable({
  ERR_CI_INPUT: {
    hop: "configuration",
    owner: "workflow author",
    summary: "an input is not valid",
    cause: "it is missing, misspelt, or contradicts another one.",
    remedy: "mend the inputs that the message names; docs/inputs-and-outputs.md lists them all.",
  },
  ERR_CI_OIDC_NOT_PERMITTED: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the job may not request an identity token",
    cause:
      "on GitHub, the job or the workflow that calls it lacks `permissions: id-token: write`; on Azure Pipelines, the server issues none.",
    remedy:
      "on GitHub, add `permissions: { id-token: write, contents: read }` to the job; in a reusable workflow, to the calling job too. On Azure Pipelines, use Azure DevOps Services: Azure DevOps Server has no identity tokens.",
  },
  ERR_CI_OIDC_FORK: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "a pull request from a fork gets no identity token",
    cause:
      "the CI system withholds it, whatever the job's permissions say: anybody can open such a pull request.",
    remedy:
      "skip this job for forks, by `if: github.event.pull_request.head.repo.full_name == github.repository`, or deploy after the merge.",
  },
  ERR_CI_SHARED_TOKEN: {
    hop: "configuration",
    owner: "workflow author",
    summary: "relay and cluster would be shown one and the same token",
    cause:
      "Azure DevOps fixes the audience of a job's tokens, so that the relay could use what it is shown to act as the pipeline in the cluster.",
    remedy:
      "best: azure-subscription with relay-scope and cluster-scope, for two tokens of Microsoft Entra. Else relay-key-name and relay-key, so that the relay is shown no token. Only if you run the relay yourself: allow-shared-token.",
  },
  ERR_CI_SERVICE_CONNECTION: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the service connection cannot be used",
    cause:
      "it has a secret instead of workload identity federation, or it is one that Microsoft Entra trusts where a generic one is wanted.",
    remedy:
      "for azure-subscription convert the connection to workload identity federation; for service-connection take a generic one that no federated credential trusts.",
  },
  ERR_CI_START_FAILED: {
    hop: "CI job",
    owner: "Cluster Connect maintainers",
    summary: "the client proxy did not start",
    cause: "the runner could not start a background process, or it ended at once; its log follows.",
    remedy: "check the runner's disk and memory; if they are well, open an issue with the log.",
  },
  ERR_CI_CLIENT_PROXY_GONE: {
    hop: "client proxy",
    owner: "workflow author",
    summary: "the client proxy has ended",
    cause: "another step or the machine has killed it.",
    remedy: "look at the log that follows; on a shared runner, look for steps that kill node processes.",
  },
  ERR_CI_TIMEOUT: {
    hop: "CI job",
    owner: "workflow author",
    summary: "the cluster did not answer in time",
    cause:
      "a hop on the way is slow or takes connections without answering, mostly the relay or what stands before it.",
    remedy:
      "give the input timeout at least 30s: a hop that does not answer is then given up first, and named.",
  },
});

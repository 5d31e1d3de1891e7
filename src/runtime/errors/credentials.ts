import { errorTable } from "./entry";

export const credentialErrors = errorTable({
  ERR_OIDC_REQUEST_REFUSED: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the CI system refused to issue an identity token",
    cause:
      "the job's right to request one has ended or was never granted, or the audience or the service connection is not allowed.",
    remedy:
      "on GitHub grant `permissions: id-token: write` to the job and check the audience inputs; on Azure Pipelines permit the pipeline to use the service connection.",
  },
  ERR_OIDC_UNREACHABLE: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the CI system's token endpoint cannot be reached",
    cause: "a network fault, or an outbound proxy that does not let the runner through.",
    remedy: "run the job again; on a self-hosted runner check HTTPS_PROXY and NO_PROXY.",
  },
  ERR_TOKEN_FILE_UNREADABLE: {
    hop: "configuration",
    owner: "cluster operator",
    summary: "the token file cannot be read",
    cause: "the path is wrong, the file is empty, or this user may not read it.",
    remedy: "check the path, and that whoever renews the token keeps it readable.",
  },
  ERR_TOKEN_COMMAND_FAILED: {
    hop: "configuration",
    owner: "workflow author",
    summary: "the token command failed",
    cause: "the command is not installed, asks for a login, or prints something that is not a token.",
    remedy:
      "run the command by hand; it must print a raw token, an ExecCredential, or the JSON of the az CLI.",
  },
});

/** The kubelet mounts every service-account token anew before it expires: both containers go on with the new one. */
import { eventually } from "./node";
import { caller, startJobInCluster, type JobInCluster } from "./support/job-in-cluster";

let job: JobInCluster;

beforeAll(async () => {
  job = await startJobInCluster("cluster-connect-rotation", {
    values: {
      authProxy: { limits: { ownTokenRefreshMs: 500 } },
      agent: { limits: { renewMs: 1_000 } },
    },
  });
}, 180_000);

afterAll(async () => {
  await job.post();
  await job.close();
}, 180_000);

/** The id of the token by which the auth proxy has made the caller's last request, from the cluster's audit log. */
async function tokenBehindRequest(): Promise<string | undefined> {
  const from = job.node.auditEnd();
  await job.must("get", "--raw", "/version");
  return eventually("the request in the audit log", 10_000, () => {
    const event = job.node.audit(from).find(({ impersonatedUser }) => impersonatedUser?.username === caller);
    return event?.user.extra?.["authentication.kubernetes.io/credential-id"]?.[0];
  });
}

/** When the token that the agent has mounted was made, in seconds since the epoch. */
async function agentTokenIssuedAt(): Promise<number> {
  const script = "process.stdout.write(fs.readFileSync('/var/run/secrets/cluster-connect/token','utf8'))";
  const { release, node } = job;
  const { stdout } = await node.kubectl([
    ...["--namespace", release.namespace, "exec", `deployment/${release.fullName}`, "-c", "agent"],
    ...["--", "node", "-e", script],
  ]);
  const [, payload = ""] = stdout.split(".");
  return (JSON.parse(Buffer.from(payload, "base64url").toString()) as { iat: number }).iat;
}

const renewals = () => job.relay.log.filter((line) => line.includes('"right":"renew"')).length;

describe("service-account tokens that are rotated", () => {
  it("are taken up by the auth proxy and by the agent, without a restart of either", async () => {
    const [first, firstOfAgent] = [await tokenBehindRequest(), await agentTokenIssuedAt()];
    await job.node.restart("kubelet");
    await eventually("a new token behind the caller's requests", 30_000, async () => {
      return (await tokenBehindRequest()) !== first || undefined;
    });
    await eventually("a new token for the agent", 30_000, async () => {
      return (await agentTokenIssuedAt()) > firstOfAgent || undefined;
    });
    const before = renewals();
    await eventually("the agent shows it to the relay", 10_000, () => renewals() > before || undefined);
    const { namespace } = job.release;
    const restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    const { stdout } = await job.node.kubectl(["-n", namespace, "get", "pods", "-o", restarts]);
    expect(stdout).toBe("0 0");
    expect(job.relay.log.filter((line) => line.includes('"event":"refused"'))).toEqual([]);
  }, 120_000);
});

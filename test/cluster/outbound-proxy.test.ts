/** Job and cluster that both reach the world through a proxy which wants a name and a password. */
import { attachNode, eventually } from "./node";
import { caller, startJobInCluster, type JobInCluster } from "./support/job-in-cluster";
import { startSquid, type Squid } from "./support/squid";

const node = attachNode();
let squid: Squid;
let job: JobInCluster;

beforeAll(async () => {
  squid = await startSquid(node.state.addresses.host, ["job", "agent"]);
  job = await startJobInCluster("cluster-connect-outbound", {
    // The runner's own token endpoint is near, and stays near.
    env: { HTTPS_PROXY: squid.url("job"), NO_PROXY: "127.0.0.1" },
    values: { agent: { env: [{ name: "HTTPS_PROXY", value: squid.url("agent") }] } },
  });
}, 180_000);

afterAll(async () => {
  await squid.close();
  await job.close();
}, 180_000);

describe("through an outbound proxy that wants credentials", () => {
  it("the action connects, and kubectl works", async () => {
    expect([job.main.errors(), job.main.warnings()]).toEqual([[], []]);
    expect(await job.must("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")).toBe(caller);
  });

  it("the action tells wrong credentials as the proxy's refusal, and the password to nobody", async () => {
    const env = { HTTPS_PROXY: squid.url("job", "mistyped") };
    const refused = await job.connect("refused", { "context-name": "refused" }, env);
    expect(refused.exitCode).toBe(1);
    expect(refused.errors()).toEqual([expect.stringContaining("ERR_OUTBOUND_PROXY_REFUSED")]);
    expect(refused.stdout).not.toContain("mistyped");
    await job.post("refused");
  });

  it("every connection to the relay went through it", async () => {
    expect((await job.post()).exitCode).toBe(0);
    await job.relay.kill();
    const target = new URL(job.relay.url).host;
    await eventually("the end of both tunnels", 10_000, () => {
      const users = squid.tunnels().flatMap((tunnel) => (tunnel.target === target ? [tunnel.user] : []));
      return (users.includes("job") && users.includes("agent")) || undefined;
    });
  });
});

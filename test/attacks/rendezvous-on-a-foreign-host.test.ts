/** A relay that sends the agent elsewhere: every address in the cluster's network is within its reach. */
import { eventually } from "../support/eventually";
import { describeAgentOnNodes } from "./fixture/attacked-agent";

describeAgentOnNodes("a rendezvous on a foreign host", (agent) => {
  const path = "/$hc/plant-7?sb-hc-action=accept&sb-hc-id=a";
  const addresses: Readonly<Record<string, () => string>> = {
    "another port of the relay's host": () => `ws://127.0.0.1:${agent.elsewherePort}${path}`,
    "another name of it": () => `ws://localhost:${agent.elsewherePort}${path}`,
    "another name of it, on its port": () => `ws://localhost:${agent.relay.port}${path}`,
    "its address as one number": () => `ws://2130706433:${agent.elsewherePort}${path}`,
    "its address in IPv6": () => `ws://[::ffff:127.0.0.1]:${agent.elsewherePort}${path}`,
    "its host for a user": () => `ws://127.0.0.1:${agent.relay.port}@127.0.0.2:${agent.elsewherePort}${path}`,
    "a user at its host": () => `ws://user@127.0.0.1:${agent.relay.port}${path}`,
    "a host that begins as it does": () => `ws://127.0.0.1.evil.example:${agent.relay.port}${path}`,
    "a backslash": () => `ws://127.0.0.1:${agent.elsewherePort}\\@127.0.0.1:${agent.relay.port}${path}`,
    HTTP: () => `http://127.0.0.1:${agent.relay.port}${path}`,
    "TLS where there was none": () => `wss://127.0.0.1:${agent.relay.port}${path}`,
    "a file": () => "file:///run/cluster-connect/api.sock",
    "a unix socket": () => "ws+unix:///run/cluster-connect/api.sock:/",
    "another path": () => `ws://127.0.0.1:${agent.relay.port}/api/v1/secrets?a=b`,
    "a path that begins well": () => `ws://127.0.0.1:${agent.relay.port}/$hc/../api?a=b`,
    "a fragment": () => `ws://127.0.0.1:${agent.relay.port}${path}#x`,
    "no query": () => `ws://127.0.0.1:${agent.relay.port}/$hc/plant-7`,
    "no address": () => "plant-7",
    nothing: () => "",
    "the cloud's own metadata": () => "ws://169.254.169.254/$hc/plant-7?a=b",
  };

  it.each(Object.entries(addresses))("is not gone to: %s", async (_, address) => {
    const before = agent.relay.requests.length;
    await agent.relay.announce(address());
    // What comes next on the channel is answered: so the address before it has been judged.
    const leg = await agent.leg();
    expect(agent.relay.requests.slice(before)).toHaveLength(1);
    leg.terminate();
    expect(agent.foreignConnections).toBe(0);
  });

  it("is not gone to by a redirect either", async () => {
    const before = agent.relay.requests.length;
    await agent.relay.announce(agent.relay.address(`&redirect=${agent.elsewherePort}`));
    await eventually(() => agent.relay.requests.length > before);
    (await agent.leg()).terminate();
    expect(agent.foreignConnections).toBe(0);
  });

  it.each([
    ["no JSON", "{"],
    ["another message", '{"request":{"address":"ws://127.0.0.1:1/$hc/x?a=b","id":"a"}}'],
    ["a list", '[{"accept":1}]'],
    ["an address that is none", '{"accept":{"address":{"host":"evil"},"id":"a"}}'],
    ["a prototype", '{"__proto__":{"accept":{"address":"ws://127.0.0.1:1/$hc/x?a=b","id":"a"}}}'],
    [
      "headers that are none",
      '{"accept":{"address":"ws://127.0.0.1:1/$hc/x?a=b","id":"a","connectHeaders":[1]}}',
    ],
    ["nesting without end", "[".repeat(60_000)],
  ])("is not made of what is no announcement: %s", async (_, text) => {
    const before = agent.relay.requests.length;
    (await agent.relay.channel()).send(text);
    (await agent.leg()).terminate();
    expect(agent.relay.requests.length).toBe(before + 1);
  });

  it.each([
    ["a message over all bounds", (text: string) => Buffer.from(text)],
    ["pings in numbers", undefined],
  ])("is not made by %s", async (_, binary) => {
    const channel = await agent.relay.channel();
    if (binary === undefined) for (let count = 0; count < 2_000; count += 1) channel.ping();
    else channel.send(binary("a".repeat(200_000)));
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import { watchConfiguration } from "../../../src/relay/configuration-watch";
import { relaySettings, type RelaySettings } from "../../../src/relay/settings";
import type { Logger } from "../../../src/runtime/logger";
import { eventually } from "../../support/eventually";
import { startIssuer, type TestIssuer } from "../../support/issuer";
import { RelayEnds } from "./relay-ends";

const keys = { agent: "a".repeat(44), ci: "c".repeat(44), spare: "s".repeat(44) };
type Rule = Readonly<Record<string, unknown>>;

describe("a relay whose configuration changes", () => {
  let folder: string;
  let issuer: TestIssuer;
  let ends: RelayEnds;
  let stop: () => void;
  const events: [string, Record<string, unknown>][] = [];
  const record = (event: string, fields: Record<string, unknown>) => void events.push([event, fields]);
  const logger = {
    info: record,
    warn: record,
    error: record,
    debug: record,
    child: () => logger,
  } as unknown as Logger;

  const keyFile = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return { name: name.split(".")[0]!, keyFile: join(folder, name) };
  };
  interface Change {
    readonly allow?: readonly Rule[];
    readonly agents?: readonly object[];
    readonly clients?: readonly object[];
    readonly more?: object;
  }
  const write = ({ allow, agents, clients, more }: Change) => {
    const document = {
      publicUrl: "http://127.0.0.1:1",
      listen: { host: "127.0.0.1", port: 0 },
      issuers: [{ issuer: { url: issuer.url, audiences: ["relay"] } }],
      clusters: [
        {
          name: "plant-7",
          agents: { keys: agents ?? [keyFile("agent.key", keys.agent)] },
          clients: {
            keys: clients ?? [keyFile("ci.key", keys.ci)],
            allow: allow ?? [byTeam("a"), byTeam("b")],
          },
        },
      ],
      ...more,
    };
    writeFileSync(join(folder, "relay.json"), JSON.stringify(document));
    return document;
  };
  const byTeam = (team: string) => ({ issuer: issuer.url, claims: { team } });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "reload-"));
    issuer = await startIssuer();
    events.length = 0;
    const { issuers, clusters } = write({});
    const timers = { configurationCheckMs: 10 };
    ends = await RelayEnds.start({ issuers, clusters, timers });
    const settings: RelaySettings = { ...relaySettings.parse({ ...write({}), timers }) };
    stop = watchConfiguration(join(folder, "relay.json"), settings, ends.running.relay, logger);
  });
  afterEach(async () => {
    stop();
    await ends.close();
    await issuer.close();
    rmSync(folder, { recursive: true });
  });

  const sign = (keyName: keyof typeof keys) =>
    createSasToken({
      relay: ends.running.url,
      entity: "plant-7",
      keyName: keyName === "spare" ? "ci" : keyName,
      key: keys[keyName],
      lifetimeMs: 60_000,
    });
  const mint = (claims: Record<string, unknown>) => issuer.mint(claims, { audience: "relay" });
  const listen = () => ends.listen({ token: sign("agent") });
  /** A sender joined with what the listener's channel announces. */
  const join_ = async (channel: Awaited<ReturnType<typeof listen>>, token: string) => {
    const sender = await ends.connect({ token });
    const { address } = await ends.announced(channel);
    const listener = await ends.dial(address);
    await Promise.all([sender.answer, listener.answer]);
    return { sender, listener };
  };
  const reloaded = async (change: Change, event = "configuration.reloaded") => {
    events.length = 0;
    write(change);
    await eventually(() => events.some(([name]) => name === event));
  };
  const status = async (token: string) =>
    (await ends.connect({ token })).answer.then((answer) => answer.status);

  it("ends the sessions that a removed rule has let in, and no others", async () => {
    const channel = await listen();
    const [a, b, byKey] = [
      await join_(channel, await mint({ team: "a" })),
      await join_(channel, await mint({ team: "b" })),
      await join_(channel, sign("ci")),
    ];
    await reloaded({ allow: [byTeam("b")] });
    expect(await a.sender.read()).toMatch(/^close:1008:/);
    expect(await a.listener.read()).toMatch(/^close:1008:/);
    await ends.until("links", 2);
    for (const { sender, listener } of [b, byKey]) {
      expect([sender.end, listener.end]).toEqual(["open", "open"]);
    }
    expect(await status(await mint({ team: "a" }))).toBe(403);
    await join_(channel, await mint({ team: "b" }));
  });

  it("drops nobody when rules are added, moved and widened, or written otherwise", async () => {
    const channel = await listen();
    const links = [
      await join_(channel, await mint({ team: "a", ref: "x" })),
      await join_(channel, await mint({ team: "b" })),
    ];
    await reloaded({ allow: [byTeam("c"), { issuer: issuer.url, claims: { team: ["a", "b"] } }] });
    await reloaded({ allow: [{ issuer: issuer.url, expression: 'claims.team in ["a", "b"]' }] });
    await join_(channel, await mint({ team: "b" }));
    expect(links.flatMap(({ sender, listener }) => [sender.end, listener.end])).toEqual(
      Array(4).fill("open"),
    );
    expect(await ends.metric("listeners")).toBe(1);
  });

  it("lets in by a new key beside the old one, and ends what rests on a key that is gone", async () => {
    const channel = await listen();
    const old = await join_(channel, sign("ci"));
    const both = [keyFile("ci.key", keys.ci), keyFile("ci.2.key", keys.spare)];
    await reloaded({ clients: both });
    const now = await join_(channel, sign("spare"));
    expect(old.sender.end).toBe("open");
    await reloaded({ clients: [both[1]!] });
    expect(await old.sender.read()).toMatch(/^close:1008:/);
    expect(now.sender.end).toBe("open");
    expect(await status(sign("ci"))).toBe(401);
  });

  it("takes up a key whose file has changed", async () => {
    expect(await status(sign("spare"))).toBe(401);
    events.length = 0;
    writeFileSync(join(folder, "ci.key"), keys.spare);
    await eventually(() => events.some(([name]) => name === "configuration.reloaded"));
    expect(await status(sign("spare"))).toBe(404);
  });

  it("ends a listener whose key is gone, and the sessions that it serves", async () => {
    const channel = await listen();
    const { sender } = await join_(channel, sign("ci"));
    await reloaded({ agents: [keyFile("agent.2.key", keys.spare)] });
    expect(await channel.read()).toMatch(/^close:1008:/);
    expect(await sender.read()).toMatch(/^close:1008:/);
  });

  it("refuses a sender that waits when his rule goes", async () => {
    const channel = await listen();
    const sender = await ends.connect({ token: await mint({ team: "a" }) });
    await ends.announced(channel);
    await reloaded({ allow: [byTeam("b")] });
    expect((await sender.answer).status).toBe(403);
  });

  it("ends whoever came by an issuer that is not trusted any more", async () => {
    const channel = await listen();
    const { sender } = await join_(channel, await mint({ team: "a" }));
    await reloaded({ allow: [], more: { issuers: [] } });
    expect(await sender.read()).toMatch(/^close:1008:/);
    expect(await status(await mint({ team: "a" }))).toBe(401);
  });

  it("keeps the old rules when the new ones are bad, says so, and drops nobody", async () => {
    const channel = await listen();
    const { sender } = await join_(channel, await mint({ team: "a" }));
    await reloaded(
      { allow: [{ issuer: issuer.url, expression: "claims.team ==" }] },
      "configuration.reload_failed",
    );
    expect(events.find(([name]) => name === "configuration.reload_failed")?.[1]).toMatchObject({
      oldKept: true,
    });
    expect(await ends.metric("configuration_current")).toBe(0);
    await join_(channel, await mint({ team: "a" }));
    await reloaded(
      { clients: [{ name: "ci", keyFile: join(folder, "absent") }] },
      "configuration.reload_failed",
    );
    expect(sender.end).toBe("open");
    await reloaded({ allow: [byTeam("a")] });
    expect(await ends.metric("configuration_current")).toBe(1);
    expect(sender.end).toBe("open");
  });

  it("says what has to wait for a restart", async () => {
    await reloaded({ more: { limits: { links: 7 } } });
    const [, fields] = events.find(([name]) => name === "configuration.needs_restart") ?? [];
    expect(fields).toEqual({ keys: ["limits", "timers"] });
  });
});

import {
  connectAddress,
  findEntity,
  listenAddress,
  parseTarget,
  rejectionAddress,
  rendezvousAddress,
} from "../../../src/hybrid-connections/addresses";

const relay = new URL("https://relay.example.com:8443");

describe("addresses", () => {
  it("name the entity, the action and the id", () => {
    expect(listenAddress(relay, "emea/plant-7", "a-b").href).toBe(
      "wss://relay.example.com:8443/$hc/emea/plant-7?sb-hc-action=listen&sb-hc-id=a-b",
    );
    expect(connectAddress(new URL("http://127.0.0.1:1"), "plant 7", "x").href).toBe(
      "ws://127.0.0.1:1/$hc/plant%207?sb-hc-action=connect&sb-hc-id=x",
    );
  });

  it("of a rendezvous keep the sender's suffix and query, and can be extended to a rejection", () => {
    const address = rendezvousAddress({
      publicUrl: relay,
      rawPath: "plant-7/a%20b",
      applicationQuery: "x=1&&y",
      id: "t 1",
      key: "k",
    });
    expect(address).toBe(
      "wss://relay.example.com:8443/$hc/plant-7/a%20b?x=1&&y&sb-hc-action=accept&sb-hc-id=t%201&sb-hc-rendezvous=k",
    );
    const target = parseTarget(
      rejectionAddress(address, 503, "not now + later").slice("wss://relay.example.com:8443".length),
    );
    expect(target).toMatchObject({
      action: "accept",
      path: "plant-7/a b",
      rendezvousKey: "k",
      rejection: { status: 503, reason: "not now + later" },
    });
  });
});

describe("a request target", () => {
  it("without an action asks to connect", () => {
    expect(parseTarget("/$hc/a")).toMatchObject({ action: "connect", path: "a", token: undefined });
  });

  it("reads a token whose blanks are written as plus", () => {
    expect(parseTarget("/$hc/a?sb-hc-token=SharedAccessSignature+sr%3dx")?.token).toBe(
      "SharedAccessSignature sr=x",
    );
  });

  it("reads the rejection's names without their prefix too, as old listeners write them", () => {
    expect(parseTarget("/$hc/a?sb-hc-action=accept&statusCode=400&statusDescription=no")?.rejection).toEqual({
      status: 400,
      reason: "no",
    });
  });

  it.each(["/", "/$hc", "/other/$hc/a", "https://x/$hc/a", "/$hc/%zz"])("that is %s is none", (text) => {
    expect(parseTarget(text)).toBeUndefined();
  });

  it("with an action that is not known says so", () => {
    expect(parseTarget("/$hc/a?sb-hc-action=dance")).toMatchObject({ action: undefined });
  });

  it.each([
    ["a=1&a=2&", "a=1&a=2&"],
    ["&&&", "&&&"],
    ["sb-hc-undefined", "sb-hc-undefined"],
    ["SB-HC-Action=connect&z=%c3%a4", "z=%c3%a4"],
    ["sb%2Dhc-id=1&b", "b"],
    ["?null&sb-hc-token=x", "?null"],
  ])("with the query %s leaves %s to the application", (query, left) => {
    expect(parseTarget(`/$hc/a?${query}`)?.applicationQuery).toBe(left);
  });
});

describe("an entity", () => {
  const entities = new Map(["emea", "emea/plant-7", "Plant"].map((name) => [name.toLowerCase(), name]));

  it.each([
    ["emea/plant-7/v2", "emea/plant-7"],
    ["emea/plant-70", "emea"],
    ["EMEA/Plant-7", "emea/plant-7"],
    ["plant", "Plant"],
  ])("of %s is %s", (path, entity) => expect(findEntity(path, entities)).toBe(entity));

  it.each(["", "eme", "plantation", "other/emea"])("of %p is none", (path) => {
    expect(findEntity(path, entities)).toBeUndefined();
  });
});

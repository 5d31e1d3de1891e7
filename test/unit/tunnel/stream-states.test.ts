import { closeCodes } from "../../../src/protocol/codes";
import {
  agentWithRawClient,
  clientHelloJson,
  clientWithRawAgent,
  ping,
  credit,
  data,
  fin,
  open,
  Reader,
  reset,
  turns,
  until,
} from "./session-pair";

/**
 * What each frame of a stream means in each state the stream can be in, seen from an agent. The states are made by
 * the frames in `given` and by what the agent's own end does.
 */
type Step = "finish" | "reset" | Buffer;

const states: Readonly<Record<string, readonly Step[]>> = {
  "never opened": [],
  open: [open(1)],
  "finished by the client": [open(1), fin(1)],
  "finished by the agent": [open(1), "finish"],
  "finished by both": [open(1), "finish", fin(1)],
  "reset by the agent": [open(1), "reset"],
  "reset by the agent after the client had finished": [open(1), fin(1), "reset"],
  "reset by the client": [open(1), reset(1)],
};

const frames: Readonly<Record<string, Buffer>> = {
  DATA: data(1, "x"),
  FIN: fin(1),
  RESET: reset(1),
  CREDIT: credit(1, 1),
};

/** For each state, what DATA, FIN, RESET and CREDIT do: taken (+), ignored (.), or the end of the session (!). */
const outcomes: Readonly<Record<string, string>> = {
  "never opened": "!!!!",
  open: "++++",
  "finished by the client": "!!++",
  "finished by the agent": "++++",
  "finished by both": "!!..",
  "reset by the agent": "....",
  "reset by the agent after the client had finished": "!!..",
  "reset by the client": "!!..",
};

const rows = Object.entries(states).flatMap(([state, given]) =>
  Object.entries(frames).map(([name, frame], column) => ({
    state,
    given,
    name,
    frame,
    outcome: outcomes[state]![column]!,
    sense: { "+": "is taken", ".": "is ignored", "!": "ends the session" }[outcomes[state]![column]!],
  })),
);

describe("a stream", () => {
  it.each(rows)("that is $state: $name $sense", async ({ given, frame, outcome }) => {
    const { agent, peer, accepted, agentLink } = agentWithRawClient();
    let reader: Reader | undefined;
    for (const step of given) {
      if (step instanceof Buffer) peer.send(step);
      else if (step === "finish") reader!.stream.finish();
      else reader!.stream.reset("refused", "no");
      await turns(4);
      if (reader === undefined && accepted.length === 1) reader = new Reader(accepted[0]!);
    }
    const before = peer.frames.length;
    peer.send(frame);
    await turns(6);
    if (outcome === "!") {
      expect(agentLink.closeCalls).toHaveLength(1);
      await expect(agent.closed).resolves.toMatchObject({ code: closeCodes.protocolViolation, local: true });
      expect(peer.closes).toHaveLength(1);
      return;
    }
    expect(agentLink.closeCalls).toEqual([]);
    expect(peer.frames).toHaveLength(before);
    await agent.close("a test ended");
  });

  it("takes its data before its end", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(open(1), data(1, "one"));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!, true);
    await until(() => reader.bytes > 0);
    peer.send(data(1, "two"), fin(1));
    await turns(5);
    expect(reader.hasFinished).toBe(false);
    reader.goOn();
    await until(() => reader.hasFinished);
    expect(reader.all.toString()).toBe("onetwo");
    await agent.close("a test ended");
  });

  it("gives its reader the next chunk only when it is done with the last", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(open(1), data(1, "one"));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!, true);
    await turns(3);
    peer.send(data(1, "two"));
    await turns(3);
    expect(reader.all.toString()).toBe("one");
    accepted[0]!.consumed(2);
    await turns(3);
    expect(reader.all.toString()).toBe("one");
    accepted[0]!.consumed(1);
    await until(() => reader.bytes === 6);
    await agent.close("a test ended");
  });

  it("refuses a reader that takes more than it was given", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(open(1), data(1, "one"));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!, true);
    await until(() => reader.bytes === 3);
    expect(() => accepted[0]!.consumed(4)).toThrow(RangeError);
    expect(() => accepted[0]!.attach(reader)).toThrow(TypeError);
    await agent.close("a test ended");
  });

  it("can be reset from within any of its handler's calls", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(open(1));
    await until(() => accepted.length === 1);
    const calls: string[] = [];
    const stream = accepted[0]!;
    stream.attach({
      data: (chunk) => {
        calls.push(chunk.toString());
        stream.reset("cancelled", "seen enough");
        stream.consumed(3);
      },
      drain: () => calls.push("drain"),
      finished: () => calls.push("finished"),
      reset: (code, reason, local) => calls.push(`${code} ${reason} ${String(local)}`),
      closed: () => calls.push("closed"),
    });
    await turns(2);
    peer.send(data(1, "one"), data(1, "two"), fin(1));
    await turns(5);
    expect(calls).toEqual(["one", "cancelled seen enough true"]);
    expect(peer.named("RESET")).toEqual([["RESET", 1, 6, "seen enough"]]);
    await agent.close("a test ended");
  });

  it("sends nothing after its end, and says RESET once", async () => {
    const { client, peer } = clientWithRawAgent();
    const stream = client.open();
    stream.finish();
    stream.finish();
    expect(stream.write(Buffer.from("late"))).toBe(true);
    await until(() => peer.frames.length === 2);
    stream.reset("cancelled", "");
    stream.reset("lost", "");
    stream.finish();
    stream.write(Buffer.from("later"));
    await turns(5);
    expect(peer.frames).toEqual([
      ["OPEN", 1],
      ["FIN", 1],
      ["RESET", 1, 6, ""],
    ]);
    await client.close("a test ended");
  });

  it("tells both ends who reset it, and why", async () => {
    const { client, peer } = clientWithRawAgent();
    const reader = new Reader(client.open());
    await until(() => peer.frames.length === 1);
    peer.send(
      Buffer.concat([
        Buffer.from("1300000700000001", "hex"),
        Buffer.from("00000001", "hex"),
        Buffer.from("gone"),
      ]).subarray(0, 15),
    );
    await until(() => reader.loss !== undefined);
    expect(reader.loss).toEqual({ code: "targetUnreachable", reason: "gon", local: false });
    await client.close("a test ended");
  });
});

describe("ids", () => {
  it.each([
    ["that skips one", [open(2)]],
    ["that is used again", [open(1), open(1)]],
    ["that falls", [open(1), open(2), open(1)]],
  ])("of an OPEN %s end the session", async (_, given) => {
    const { agent, peer } = agentWithRawClient();
    peer.send(...given);
    await expect(agent.closed).resolves.toMatchObject({ code: closeCodes.protocolViolation });
  });

  it("are the client's to choose", async () => {
    const { client, peer } = clientWithRawAgent();
    await client.agentHello;
    peer.send(open(1));
    await expect(client.closed).resolves.toMatchObject({ code: closeCodes.protocolViolation });
  });

  it("of streams that were reset here are forgotten when the other end has seen it", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.answersPings = true;
    for (let id = 1; id <= 200; id += 1) {
      peer.send(open(id));
      await until(() => accepted.length === id);
      accepted[id - 1]!.reset("refused", "");
    }
    await turns(50);
    peer.send(data(1, "the client has seen the reset of stream 1 long ago"));
    await expect(agent.closed).resolves.toMatchObject({ code: closeCodes.protocolViolation });
  });
});

describe("the first frame", () => {
  it.each([
    ["OPEN", open(1)],
    ["PING", ping("12345678")],
    ["one of a later version", Buffer.from("8000000000000000", "hex")],
  ])("must be HELLO, not %s", async (_, frame) => {
    const { agent, peer } = agentWithRawClient({}, false);
    peer.send(frame);
    await expect(agent.closed).resolves.toMatchObject({ reason: "the first frame is not HELLO" });
  });

  it("is the only HELLO", async () => {
    const { agent, peer } = agentWithRawClient();
    peer.sendHello(clientHelloJson);
    await expect(agent.closed).resolves.toMatchObject({ reason: "second HELLO" });
  });

  it("must not be a text message", async () => {
    const { agent, peer } = agentWithRawClient({}, false);
    peer.link.sendText();
    await expect(agent.closed).resolves.toMatchObject({ code: closeCodes.protocolViolation });
  });
});

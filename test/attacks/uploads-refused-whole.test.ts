/** A refused upload that has come to its end holds nothing against its connection: it is not cut later, in the middle of what comes next. */
import { eventually } from "../support/eventually";
import { exchangeBytes } from "./fixture/answer";
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text } from "./fixture/requests";

describeOnNodes("an upload that was refused whole", (proxy) => {
  it("is refused with its length, and the next request is served after the time for the rest of it", async () => {
    const socket = await proxy.connect();
    const head = http1Text({ ...get, method: "POST" }, ["Content-Length: 4"], {
      authorization: "Bearer none",
    });
    // Its second half comes behind the refusal.
    socket.write(Buffer.concat([head, Buffer.from("ab")]));
    let refusal = "";
    socket.on("data", (chunk: Buffer) => (refusal += chunk.toString()));
    const lengthSaid = () => Number(/\r\nContent-Length: (\d+)\r\n/.exec(refusal)?.[1]);
    await eventually(() => refusal.split("\r\n\r\n")[1]?.length === lengthSaid());
    expect(refusal).toMatch(/^HTTP\/1\.1 401 /);
    socket.write("cd");
    // uploadDrainMs is 300.
    await new Promise((resolve) => setTimeout(resolve, 600));
    const next = http1Text(get, [], { authorization: proxy.caller.authorization });
    expect((await exchangeBytes(socket, next)).statuses).toEqual([200]);
    expect(proxy.sent()).toHaveLength(1);
  });
});

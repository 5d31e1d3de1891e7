/** Connections without a request: whoever knocks a thousand times must not bury the log, nor pass unseen with more. */
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";

describeOnNodes("connections that are closed again", (proxy) => {
  const refusals = () =>
    proxy.process
      .output()
      .split("\n")
      .filter((line) => line.includes('"event":"connection.refused"') && line.includes('"level":"warn"'))
      .length;

  it("are no news without a byte, and are with some", async () => {
    for (let count = 0; count < 20; count += 1) (await proxy.connectRaw()).end();
    await eventually(() => proxy.callers() === 0);
    expect(refusals()).toBe(0);
    (await proxy.connectRaw()).end("GET / HTTP/1.1\r\n\r\n");
    await eventually(() => refusals() === 1);
  });
});

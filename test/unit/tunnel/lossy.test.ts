import { LossyTransport } from "../../support/lossy-transport";
import { MemoryTransport } from "../../support/memory-transport";
import { join, Reader, until } from "./session-pair";

describe("a link that is lost", () => {
  it.each([1, 100, 400, 1_000, 70_000, 140_000, 1_000_000])(
    "after %i bytes never looks like the end of a stream",
    async (bytes) => {
      const [clientLink, agentLink] = MemoryTransport.pair();
      const link = new LossyTransport(agentLink);
      link.loseAfter(bytes);
      const { client, agent } = join([clientLink, link], {
        onStream(stream) {
          const reader = new Reader(stream);
          stream.write(Buffer.alloc(5_000_000));
          stream.finish();
          readers.push(reader);
        },
      });
      const readers = [new Reader(client.open())];
      await Promise.all([client.closed, agent.closed]);
      await until(() => readers.every(({ loss }) => loss !== undefined));
      for (const reader of readers) {
        expect(reader.hasFinished).toBe(false);
        expect(reader.isClosed).toBe(false);
        expect(reader.loss).toMatchObject({ code: "lost", local: true });
      }
      await expect(client.closed).resolves.toMatchObject({
        code: 1006,
        clean: false,
        error: "ERR_TUNNEL_LOST",
      });
    },
  );

  it("takes nothing of a stream that had ended", async () => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const { client, accepted } = join([clientLink, agentLink]);
    const here = new Reader(client.open());
    here.stream.finish();
    await until(() => accepted.length === 1);
    const there = new Reader(accepted[0]!);
    there.stream.write(Buffer.from("all"));
    there.stream.finish();
    await until(() => here.isClosed && there.isClosed);
    agentLink.abort();
    await client.closed;
    expect([here.loss, there.loss]).toEqual([undefined, undefined]);
    expect(here.all.toString()).toBe("all");
  });
});

import { renderSummary } from "../../../src/ci/summary";
import { connectionFacts, readyStatus } from "./connection-facts";

const rowsOf = (markdown: string) =>
  new Map(
    [...markdown.matchAll(/^\| ([^|]+) \| (.*) \|$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );

describe("the job summary", () => {
  it("tells cluster, identity, times, streams, bytes and losses", () => {
    const status = readyStatus({}, { streams: 12, bytesToCluster: 999, bytesFromCluster: 1_234_567_890 });
    const rows = rowsOf(renderSummary({ clusterName: "plant-7", connectedMs: 3_725_000, status }));
    expect(Object.fromEntries(rows)).toMatchObject({
      Cluster: "plant-7",
      Identity: "github:octo/app:production",
      "Server version": "v1.36.3",
      "Ready after": "0.7 s",
      "Connected for": "1 h 2 min 5 s",
      Streams: "12",
      "Sent to the cluster": "999 B",
      "Received from the cluster": "1.2 GB",
      "Streams lost": "0",
    });
  });

  it("tells what a lost stream may have meant", () => {
    const status = readyStatus({}, { lostStreams: 2 });
    expect(renderSummary({ clusterName: "plant-7", connectedMs: 1, status })).toMatch(
      /\| Streams lost \| \*\*2\*\*.*SPDY may have exited 0/,
    );
  });

  it("is one table of two columns, whatever the names hold", () => {
    const identity = "x | y\n| z | ![](https://evil/p.png) <img src=x> [a](b) `c` @everyone";
    const status = readyStatus({ ...connectionFacts, identity });
    const markdown = renderSummary({ clusterName: "plant-7", connectedMs: 0, status });
    const line = markdown.split("\n").find((text) => text.startsWith("| Identity")) ?? "";
    expect(line.replaceAll("\\|", "").match(/\|/g)).toHaveLength(3);
    expect(line).not.toMatch(/(?<!\\)[[\]`!]|</);
    expect(markdown.split("\n").filter((text) => text !== "" && !/^[|#]/.test(text))).toEqual([]);
  });
});

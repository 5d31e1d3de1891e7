import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { nodes, root } from "../../support/bundle-process";

/** 1 GiB over loopback, 2 MiB of it in use at a time, beside a heap of some 20 MB; prints how often that was marked. */
const script = `
  require(${JSON.stringify(join(root, "scripts/typescript.cjs"))});
  require(${JSON.stringify(join(root, "src/runtime/garbage-collection.ts"))}).leaveRoomForBuffers();
  const { connect, createServer } = require("node:net");
  const { PerformanceObserver, constants } = require("node:perf_hooks");
  let marked = 0;
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) marked += 1;
  }).observe({ entryTypes: ["gc"] });
  globalThis.program = Array.from({ length: 150_000 }, (_, a) => ({ a, b: [a], c: "x" + a }));
  const piece = Buffer.alloc(65_536);
  const server = createServer((socket) => {
    let left = 1_073_741_824 / piece.length;
    const send = () => {
      while (left-- > 0) if (!socket.write(piece)) return;
      socket.end();
    };
    socket.on("drain", send);
    send();
  }).listen(0, "127.0.0.1", () => {
    const inUse = [];
    connect(server.address().port, "127.0.0.1")
      .on("data", (chunk) => { if (inUse.push(chunk) > 32) inUse.shift(); })
      .on("close", () => {
        server.close();
        setTimeout(() => console.log(marked), 20);
      });
  });
`;

describe("room for buffers", () => {
  // The flag stands for what V8 may choose by itself. Without room Node 20 marks 23 times or more; Node 24 always
  // does so for each 64 MiB of buffers.
  it.each(nodes)("keeps a GiB from having the whole heap marked over and over, on %s", (_name, node) => {
    const run = spawnSync(node, ["--heap-growing-percent=10", "--eval", script], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(Number(run.stdout)).toBeGreaterThan(0);
    expect(Number(run.stdout)).toBeLessThan(20);
  });
});

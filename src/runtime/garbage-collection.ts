import { setFlagsFromString } from "node:v8";

/**
 * Buffers lie outside of V8's heap but count against its bound, and that bound V8 keeps as close as 10 % above what
 * lives in the heap: a process that carries bulk data through buffers then marks its whole heap, tens of megabytes of
 * loaded program, for every few megabytes carried. Measured on Node 20 and 24: up to 100 times a GiB, 1–2 s of CPU.
 * With more room the quick collections of the young generation, which free such buffers too, come first.
 * Read by V8 whenever it sets the bound anew, so it may be set while the process runs.
 */
export function leaveRoomForBuffers(): void {
  setFlagsFromString(`--heap-growing-percent=${String(roomPercent)}`);
}

/** Of what lives in the heap. A heap of 16 MB may reach 64 MB, buffers included, before all of it is marked. */
const roomPercent = 300;

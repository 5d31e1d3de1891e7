import type { FrameReceiver } from "../../../src/protocol/decode";

/** A receiver that writes down what it is given. */
export class RecordingReceiver implements FrameReceiver {
  readonly frames: unknown[][] = [];
  isDone = false;

  admit(): undefined {
    return;
  }
  hello(json: string): undefined {
    this.frames.push(["HELLO", json]);
  }
  ping(payload: Buffer): undefined {
    this.frames.push(["PING", payload.toString("hex")]);
  }
  pong(payload: Buffer): undefined {
    this.frames.push(["PONG", payload.toString("hex")]);
  }
  goAway(code: number, reason: string): undefined {
    this.frames.push(["GOAWAY", code, reason]);
  }
  open(stream: number): undefined {
    this.frames.push(["OPEN", stream]);
  }
  data(stream: number, payload: Buffer): undefined {
    this.frames.push(["DATA", stream, payload.toString("latin1")]);
  }
  finish(stream: number): undefined {
    this.frames.push(["FIN", stream]);
  }
  reset(stream: number, code: number, reason: string): undefined {
    this.frames.push(["RESET", stream, code, reason]);
  }
  credit(stream: number, bytes: number): undefined {
    this.frames.push(["CREDIT", stream, bytes]);
  }
}

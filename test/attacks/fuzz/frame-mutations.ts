/** Tunnel frames, WebSocket frames and relay handshakes, in and out of order, whole and bent. */
import {
  encodeCredit,
  encodeFinish,
  encodeGoAway,
  encodeHeader,
  encodeOpen,
  encodePing,
  encodeReset,
} from "../../../src/protocol/encode";
import { frameType } from "../../../src/protocol/frames";
import { maskedFrame } from "../../support/raw-websocket";
import { dataFrame, hello } from "../fixture/attacked-agent";
import { mutateBytes, type Random } from "./random";

/** One binary message of a session; half the time nothing in it is wrong but its order. */
export function bentTunnelMessage(random: Random): Buffer {
  const stream = () => random.pick([0, 1, 1, 2, 3, 7, 0xffff_ffff]);
  const frame = () =>
    random.pick([
      () => hello(),
      () => encodeOpen(stream()),
      () => dataFrame(stream(), random.bytes(random.int(200))),
      () => dataFrame(1, Buffer.alloc(random.pick([65_536, 65_537]))),
      () => encodeFinish(stream()),
      () => encodeReset(stream(), random.int(9), "x".repeat(random.int(600))),
      () => encodeCredit(stream(), random.pick([0, 1, 65_536, 0xffff_ffff])),
      () => encodePing(random.pick([frameType.ping, frameType.pong]), random.bytes(8)),
      () => encodeGoAway(random.int(9), "x"),
      () => Buffer.concat([encodeHeader(random.int(256), stream(), 4), random.bytes(4)]),
    ])();
  const message = Buffer.concat(Array.from({ length: 1 + random.int(6) }, frame));
  return random.chance(2) ? mutateBytes(random, message) : message;
}

/** A few WebSocket frames of a client, as bytes. */
export function bentWebSocketFrames(random: Random): Buffer {
  const frame = () =>
    maskedFrame(
      random.pick([0, 1, 2, 8, 9, 10, 3, 15]),
      random.pick([
        random.bytes(random.int(140)),
        Buffer.from('{"renewToken":{"token":"x"}}'),
        Buffer.from('{"accept":{"address":"ws://evil/","id":"a"}}'),
        Buffer.alloc(0),
      ]),
      { fin: !random.chance(3), mask: random.bytes(4).toString("hex") },
    );
  const frames = Buffer.concat(Array.from({ length: 1 + random.int(8) }, frame));
  return random.chance(2) ? mutateBytes(random, frames) : frames;
}

/** A handshake by somebody who has no right at `plant-7`, whatever becomes of its lines. */
export function bentHandshake(random: Random, authorization: string): Buffer {
  const action = random.pick(["listen", "connect", "accept", "request", "LISTEN", ""]);
  const path = random.pick([
    "plant-7",
    "PLANT-7",
    "plant-7/x",
    "plant-7%2f..",
    "%70lant-7",
    "plant-7/../plant-7",
  ]);
  const query = random.pick([
    `sb-hc-action=${action}&sb-hc-id=${random.bytes(4).toString("hex")}`,
    `sb-hc-action=${action}&sb-hc-rendezvous=${random.bytes(32).toString("base64url")}`,
    `sb-hc-action=connect&sb-hc-action=${action}&sb-hc-id=%0d%0ax`,
    `sb-hc-action=accept&sb-hc-statusCode=${random.int(999)}&sb-hc-statusDescription=%0d%0aX: y`,
  ]);
  const lines = [
    `GET /$hc/${path}?${query} HTTP/1.1`,
    "Host: a",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `ServiceBusAuthorization: ${authorization}`,
  ];
  const text = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return random.chance(2) ? mutateBytes(random, text) : text;
}

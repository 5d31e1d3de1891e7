import { z } from "zod";
import { defaultWireLimits } from "./limits";

const bound = (least: number, most = 0x7fff_ffff) => z.int().min(least).max(most).default(least);

/** A HELLO may only raise the defaults: until it came, this end has gone by them. */
const wireLimits = z
  .object({
    messageBytes: bound(defaultWireLimits.messageBytes),
    dataBytes: bound(defaultWireLimits.dataBytes, 0xff_ffff),
    initialCreditBytes: bound(defaultWireLimits.initialCreditBytes),
    creditCeilingBytes: bound(defaultWireLimits.creditCeilingBytes),
    streams: bound(defaultWireLimits.streams),
  })
  .prefault({});

/** No control characters: names are logged. */
const name = z
  .string()
  .max(256)
  .regex(/^\P{Cc}+$/u);
const features = z.array(z.string().max(64)).max(32).default([]);

/** What a client says first. Unknown members are ignored: a later version may say more. */
export const clientHello = z.object({
  version: z.int(),
  /** Name and version of the program, such as `cluster-connect/1.0.0`; for logs. */
  client: name,
  limits: wireLimits,
  features,
});
export type ClientHello = z.infer<typeof clientHello>;

/** What an agent says first. */
export const agentHello = z.object({
  version: z.int(),
  agent: name,
  /** The GUID under which the agent listens at the relay. */
  listenerId: name,
  /** Names this session in the logs of both ends and of the auth proxy. */
  sessionId: name,
  cluster: name,
  serverName: name,
  /** PEM of the CAs that sign the auth proxy's certificate; what a client trusts of it is the client's to decide. */
  caBundle: z.string(),
  limits: wireLimits,
  features,
});
export type AgentHello = z.infer<typeof agentHello>;

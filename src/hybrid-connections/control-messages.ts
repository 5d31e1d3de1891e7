/** The JSON messages of a control channel, each an object with one key, each in one text message. */
import { z } from "zod";

/** Bytes of one message; the receive buffer of the official clients. */
export const maxControlMessageBytes = 65_535;

export const acceptMessage = z.object({
  accept: z.object({
    address: z.string().min(1),
    id: z.string(),
    connectHeaders: z.record(z.string(), z.string()).default({}),
    remoteEndpoint: z.object({ address: z.string().nullish(), port: z.number().nullish() }).optional(),
  }),
});
export type AcceptMessage = z.output<typeof acceptMessage>["accept"];

export const renewTokenMessage = z.object({ renewToken: z.object({ token: z.string().min(1) }) });

/** Parses a text message by `schema`; undefined for anything else, which both ends ignore. */
export function parseControlMessage<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
): z.output<Schema> | undefined {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

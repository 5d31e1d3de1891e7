import { z } from "zod";

const bound = (value: number) => z.number().int().positive().default(value);

/** What a mapped identity may be, whatever the configuration has mapped. */
export const identityPolicy = z.strictObject({
  /**
   * `system:` users and groups are parts of the cluster. A token becomes one only when this names it, or names its
   * beginning with a `*` after a colon, such as `system:serviceaccount:ci:*`; `true` lets every name pass.
   */
  allowSystemNames: z
    .union([
      z.boolean(),
      z.array(z.string().regex(/^system:[^*]*(:\*|[^*:])$/, "is a name that begins with system:")),
    ])
    .default(false),
  maxGroups: bound(200),
  /** UTF-8 bytes of a user name, group, uid or value of an extra. */
  maxNameBytes: bound(4_096),
  /** Values of extras, over all keys. */
  maxExtraValues: bound(64),
});
export type IdentityPolicy = z.output<typeof identityPolicy>;

export const defaultIdentityPolicy: IdentityPolicy = identityPolicy.parse({});

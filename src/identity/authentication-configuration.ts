import { z } from "zod";
import { haveDistinctUrls, mappedIssuerSchema } from "./issuer-settings";

/** Kubernetes' AuthenticationConfiguration v1, as far as claims and prefixes go. */
export const authenticationConfiguration = z.strictObject({
  apiVersion: z.literal("apiserver.config.k8s.io/v1").optional(),
  kind: z.literal("AuthenticationConfiguration").optional(),
  jwt: z.array(mappedIssuerSchema).min(1).refine(haveDistinctUrls, "issuer.url must not repeat"),
});
export type AuthenticationConfiguration = z.output<typeof authenticationConfiguration>;

import { z } from "zod";
import { visibleName } from "./visible-name.ts";

/** A stored credential, without its value: that goes into sandboxes only. */
export const ProviderCredential = z
  .object({
    label: z.string(),
    /** ISO 8601, UTC. */
    createdAt: z.iso.datetime(),
    /** ISO 8601, UTC. */
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "ProviderCredential" });
export type ProviderCredential = z.infer<typeof ProviderCredential>;

/** A service that answers language model requests. */
export const Provider = z
  .object({
    id: z.string(),
    name: z.string(),
    /** The protocol it speaks: `anthropic`, `openai`, `google`, `openai-compatible`. */
    type: z.string(),
    baseUrl: z.string().nullable(),
    isEnabled: z.boolean(),
    isDefault: z.boolean(),
    sortOrder: z.int(),
    /** Names of the variables that every sandbox gets for it; none while it is disabled or has no credential. */
    environment: z.array(z.string()),
    credentials: z.array(ProviderCredential),
    /** ISO 8601, UTC. */
    createdAt: z.iso.datetime(),
    /** ISO 8601, UTC. */
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Provider" });
export type Provider = z.infer<typeof Provider>;

const coolifyQuoting =
  "must not have a single quote or end in a backslash: Coolify cannot carry such a value to a sandbox";
const coolifyTemplate = "must not have '{{', nor within JSON a '$' or a '#' after a blank: Coolify would change it";

/** What becomes the value of an environment variable, on every runtime exactly as it was sent. */
const credentialValue = z
  .string()
  .trim()
  .min(1, { abort: true })
  .max(8192)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "must be one line of visible characters, as an environment variable holds it")
  .regex(/^[^']*(?<!\\)$/, coolifyQuoting)
  .regex(/^(?!.*\{\{)(?![[{].*(?:\$|\s#))/s, coolifyTemplate);

export const SetProviderCredential = z
  .strictObject({
    /** Secret. Stored sealed, and in no answer. */
    value: credentialValue.meta({ writeOnly: true, format: "password" }),
    /** Tells several credentials of a provider apart; sandboxes get `default`, else the newest. */
    label: visibleName.default("default"),
  })
  .meta({ id: "SetProviderCredential" });
export type SetProviderCredential = z.infer<typeof SetProviderCredential>;

/** What setting a credential answers. */
export const ProviderCredentialSet = z
  .object({
    provider: Provider,
    /** Sandboxes that run keep what they have; a deploy, start or restart gives them the new value. */
    appliesFrom: z.literal("next_start"),
  })
  .meta({ id: "ProviderCredentialSet" });
export type ProviderCredentialSet = z.infer<typeof ProviderCredentialSet>;

import { z } from "zod";
import { jsonObject, jsonValue, timestamp } from "./json.ts";

export const pendingState = z.enum(["pending", "answered", "cancelled", "expired"]);

/** An agent's request for permission. The first answer wins; `resolvedBy` tells whose it was. */
export const permission = z.object({
  id: z.string(),
  sessionId: z.string(),
  promptId: z.string().nullable(),
  status: pendingState,
  toolCall: jsonObject,
  options: z.array(z.looseObject({ optionId: z.string(), name: z.string(), kind: z.string() })),
  outcome: jsonObject.nullable(),
  /** Name of the token that answered, or policy, timeout, cancel, exit. */
  resolvedBy: z.string().nullable(),
  createdAt: timestamp,
  /** Null when it waits for ever. */
  expiresAt: timestamp.nullable(),
});
export type Permission = z.infer<typeof permission>;

/** Body of `POST …/permissions/{id}`: one of the offered options, or what to do in one word. */
export const permissionAnswer = z
  .strictObject({
    optionId: z.string().min(1).max(1024).optional(),
    /** Picks the first option of the kind; `cancel` answers with the outcome cancelled. */
    decision: z.enum(["allow_once", "allow_always", "reject_once", "reject_always", "cancel"]).optional(),
  })
  .refine(({ optionId, decision }) => (optionId === undefined) !== (decision === undefined), {
    message: "give either optionId or decision",
  });
export type PermissionAnswer = z.infer<typeof permissionAnswer>;

/** An agent's question (`elicitation/create`): a form or a URL to be opened. */
export const elicitation = z.object({
  id: z.string(),
  sessionId: z.string(),
  promptId: z.string().nullable(),
  status: pendingState,
  /** Params of the agent's request, as they came. */
  request: jsonObject,
  response: jsonObject.nullable(),
  resolvedBy: z.string().nullable(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
});
export type Elicitation = z.infer<typeof elicitation>;

/** Body of `POST …/elicitations/{id}`. */
export const elicitationAnswer = z.strictObject({
  action: z.enum(["accept", "decline", "cancel"]),
  content: z.record(z.string(), jsonValue).optional(),
});
export type ElicitationAnswer = z.infer<typeof elicitationAnswer>;

import { z } from "zod";
import { jsonObject, jsonValue, timestamp } from "./json.ts";

export const pendingState = z.enum(["pending", "answered", "cancelled", "expired"]);

export const permission = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    promptId: z.string().nullable(),
    status: pendingState,
    toolCall: jsonObject,
    options: z.array(z.looseObject({ optionId: z.string(), name: z.string(), kind: z.string() })),
    outcome: jsonObject.nullable(),
    resolvedBy: z
      .string()
      .nullable()
      .describe("Name of the token that answered, or policy, timeout, cancel, exit, end, limit"),
    createdAt: timestamp,
    expiresAt: timestamp.nullable().describe("Null when it waits for ever"),
  })
  .describe("An agent's request for permission. The first answer wins; `resolvedBy` tells whose it was");
export type Permission = z.infer<typeof permission>;

export const permissionAnswer = z
  .strictObject({
    optionId: z.string().min(1).max(1024).optional(),
    decision: z
      .enum(["allow_once", "allow_always", "reject_once", "reject_always", "cancel"])
      .optional()
      .describe("Picks the first option of the kind; `cancel` answers with the outcome cancelled"),
  })
  .refine(({ optionId, decision }) => (optionId === undefined) !== (decision === undefined), {
    message: "give either optionId or decision",
  })
  .meta({
    description: "Body of `POST …/permissions/{id}`: one of the offered options, or what to do in one word",
    examples: [{ decision: "allow_once" }, { optionId: "proceed_always" }],
  });
export type PermissionAnswer = z.infer<typeof permissionAnswer>;

export const elicitation = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    promptId: z.string().nullable(),
    status: pendingState,
    request: jsonObject.describe("Params of the agent's request, as they came"),
    response: jsonObject.nullable().describe("The action alone: what was answered is kept nowhere"),
    resolvedBy: z.string().nullable(),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
  })
  .describe("An agent's question (`elicitation/create`): a form or a URL to be opened");
export type Elicitation = z.infer<typeof elicitation>;

export const elicitationAnswer = z
  .strictObject({
    action: z.enum(["accept", "decline", "cancel"]),
    content: z.record(z.string(), jsonValue).optional(),
  })
  .meta({
    description: "Body of `POST …/elicitations/{id}`",
    examples: [{ action: "accept", content: { name: "Ada" } }, { action: "decline" }],
  });
export type ElicitationAnswer = z.infer<typeof elicitationAnswer>;

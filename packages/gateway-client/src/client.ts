import {
  elicitation,
  eventPage,
  permission,
  prompt,
  promptAccepted,
  promptAnswer,
  session,
  sessionPage,
  type ElicitationAnswer,
  type NewPrompt,
  type NewSession,
  type PermissionAnswer,
  type SessionPatch,
} from "@agentpod/acp-gateway/wire";
import { z } from "zod";
import { activity, agentReport, gatewayInfo } from "./answers.ts";
import { followEvents, type FollowOptions } from "./events.ts";
import { createTransport, type GatewayClientOptions } from "./transport.ts";

type Options = { signal?: AbortSignal };

/** A client of one gateway. Every method throws only `GatewayClientError`, or the abort of its signal. */
export function createGatewayClient(options: GatewayClientOptions) {
  const transport = createTransport(options);
  const { read, send } = transport;
  const at = (sessionId: string, rest = "") => `/v1/sessions/${encodeURIComponent(sessionId)}${rest}`;
  const post = (body: unknown, { signal }: Options = {}) => ({ method: "POST" as const, body, signal });

  return {
    info: ({ signal }: Options = {}) => read(gatewayInfo, "/v1/info", { signal }),
    activity: ({ signal }: Options = {}) => read(activity, "/v1/activity", { signal }),

    agents: async ({ signal }: Options = {}) =>
      (await read(z.object({ agents: z.array(agentReport) }), "/v1/agents", { signal })).agents,
    /** Takes as long as npm does. */
    installAgent: async (id: string, { signal }: Options = {}) =>
      (
        await read(z.object({ agent: agentReport }), `/v1/agents/${encodeURIComponent(id)}/install`, {
          ...post({}),
          signal,
          extraMs: 900_000,
        })
      ).agent,

    createSession: (body: NewSession, { signal }: Options = {}) =>
      read(session, "/v1/sessions", { ...post(body), signal, extraMs: 120_000 }),
    sessions: (query: { agent?: string; status?: string; cursor?: string; limit?: number } = {}) =>
      read(sessionPage, "/v1/sessions", { query }),
    session: (id: string) => read(session, at(id)),
    changeSession: (id: string, body: SessionPatch) => read(session, at(id), { method: "PATCH", body }),
    /** Starts its agent now, and lets it load what was said before. */
    loadSession: (id: string) => read(session, at(id, "/load"), { ...post({}), extraMs: 120_000 }),
    closeSession: (id: string) => read(session, at(id, "/close"), post({})),
    async deleteSession(id: string): Promise<void> {
      await send(at(id), { method: "DELETE" });
    },

    /** Accepted means kept: the turn survives this connection. */
    prompt: (id: string, body: NewPrompt | string, more: Options & { idempotencyKey?: string } = {}) =>
      read(promptAccepted, at(id, "/prompt"), {
        ...post(asPrompt(body), more),
        headers: keyHeader(more.idempotencyKey),
      }),
    /** The answer, or after `waitSeconds` the prompt as it then stands. */
    ask: (
      id: string,
      body: NewPrompt | string,
      more: Options & { idempotencyKey?: string; waitSeconds?: number } = {},
    ) => {
      const { waitSeconds = 60 } = more;
      return read(z.union([promptAnswer, prompt, promptAccepted]), at(id, "/prompt"), {
        ...post(asPrompt(body), more),
        headers: { ...keyHeader(more.idempotencyKey), prefer: `wait=${waitSeconds}` },
        extraMs: waitSeconds * 1000,
      });
    },
    promptOf: (id: string, promptId: string) => read(prompt, at(id, `/prompts/${encodeURIComponent(promptId)}`)),
    cancel: (id: string) => read(z.object({ cancelled: z.array(z.string()) }), at(id, "/cancel"), post({})),
    setMode: (id: string, modeId: string) => read(session, at(id, "/mode"), post({ modeId })),
    setConfig: (id: string, configId: string, value: string | boolean) =>
      read(session, at(id, "/config"), post({ configId, value })),

    permissions: async (id: string) =>
      (await read(z.object({ permissions: z.array(permission) }), at(id, "/permissions"))).permissions,
    answerPermission: (id: string, permissionId: string, answer: PermissionAnswer) =>
      read(permission, at(id, `/permissions/${encodeURIComponent(permissionId)}`), post(answer)),
    elicitations: async (id: string) =>
      (await read(z.object({ elicitations: z.array(elicitation) }), at(id, "/elicitations"))).elicitations,
    answerElicitation: (id: string, elicitationId: string, answer: ElicitationAnswer) =>
      read(elicitation, at(id, `/elicitations/${encodeURIComponent(elicitationId)}`), post(answer)),

    /** One page of a session's events, or of all sessions' without an id. */
    eventPage: (id: string | null, query: { after?: number; limit?: number; types?: string } = {}) =>
      read(eventPage, id === null ? "/v1/events" : at(id, "/events"), {
        query,
        headers: { accept: "application/json" },
      }),
    /** A session's events as they come, or those of all sessions without an id. */
    events: (id: string | null, options: FollowOptions = {}) =>
      followEvents(transport, id === null ? "/v1/events" : at(id, "/events"), options),
  };
}

const asPrompt = (body: NewPrompt | string): NewPrompt => (typeof body === "string" ? { text: body } : body);
const keyHeader = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { "idempotency-key": key };

export type GatewayClient = ReturnType<typeof createGatewayClient>;

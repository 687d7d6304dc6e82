import { createRedactor } from "../agents/redactor.ts";
import { GatewayError } from "../gateway-error.ts";
import type { AgentSessionHandlers } from "../types.ts";
import type { JsonObject, JsonValue } from "../wire/index.ts";
import { emit, type SessionContext } from "./context.ts";
import type { ElicitationDesk } from "./elicitation-desk.ts";
import type { Connection, LiveSession } from "./live-session.ts";
import type { PermissionDesk } from "./permission-desk.ts";
import type { Updates } from "./updates.ts";

const METHOD_NOT_FOUND = -32601;
/** Of an unknown message in the log; more is left out. */
const PARAMS_BYTES_MAX = 256 * 1024;

type Parts = { context: SessionContext; updates: Updates; permissions: PermissionDesk; elicitations: ElicitationDesk };

/** What a session hears of its agent, and how the agent's own requests are answered. */
export function createAgentHandlers({ context, updates, permissions, elicitations }: Parts) {
  return function handlersFor(
    session: LiveSession,
    connection: Connection,
    detached: AbortSignal,
  ): AgentSessionHandlers {
    return {
      onUpdate: (update, raw, meta) => updates.take(session, connection, update, raw, meta),

      onNotification(method, params) {
        if (connection.replaying) return;
        const data = { method, params: shown(session, params) };
        emit(context, session, "agent_notification", data, { promptId: session.running?.id ?? null });
      },

      async onRequest(method, params, signal): Promise<JsonValue> {
        switch (method) {
          case "session/request_permission":
            return permissions.ask(session, params, AbortSignal.any([signal, detached]));
          case "elicitation/create":
            return elicitations.ask(session, params, AbortSignal.any([signal, detached]));
          case "fs/read_text_file":
            return { content: await read(session, params) };
          case "fs/write_text_file":
            await write(session, params);
            return {};
          default:
            emit(
              context,
              session,
              "agent_request",
              { method, params: shown(session, params) },
              { promptId: session.running?.id ?? null },
            );
            throw noMethod(method);
        }
      },
    };
  };

  async function read(session: LiveSession, params: JsonObject): Promise<string> {
    if (!context.files) throw noMethod("fs/read_text_file");
    const { path, line, limit } = params;
    return context.files.readTextFile(foldersOf(session), textOf(path, "path"), {
      ...(typeof line === "number" ? { line } : {}),
      ...(typeof limit === "number" ? { limit } : {}),
    });
  }

  async function write(session: LiveSession, params: JsonObject): Promise<void> {
    if (!context.files) throw noMethod("fs/write_text_file");
    await context.files.writeTextFile(
      foldersOf(session),
      textOf(params["path"], "path"),
      textOf(params["content"], "content"),
    );
  }
}

const foldersOf = ({ record }: LiveSession) => [record.cwd, ...record.additionalDirectories];

function textOf(value: JsonValue | undefined, name: string): string {
  if (typeof value === "string") return value;
  throw new GatewayError("invalid_request", `${name} must be a text`);
}

function noMethod(method: string): GatewayError {
  const message = `the client has no method ${method}`;
  return new GatewayError("not_supported", message, { rpc: { code: METHOD_NOT_FOUND, message } });
}

/** An unknown message as the log may have it: with our session id, and without what was given in confidence. */
function shown(session: LiveSession, params: JsonObject): JsonObject {
  const { record } = session;
  const redactor = createRedactor(Object.values(record.env));
  redactor.learnFrom("session/new", { mcpServers: record.mcpServers as JsonObject[] });
  for (const { method, params: given } of record.setup) redactor.learnFrom(method, given);
  const blanked = redactor.redactJson({ ...params, sessionId: record.id });
  const bytes = JSON.stringify(blanked).length;
  return bytes > PARAMS_BYTES_MAX ? { sessionId: record.id, omittedBytes: bytes } : (blanked as JsonObject);
}

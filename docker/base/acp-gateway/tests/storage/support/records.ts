import type { PromptRecord } from "../../../src/sessions/live-prompt.ts";
import type { SessionRecord } from "../../../src/sessions/live-session.ts";
import type { PromptStatus } from "../../../src/wire/index.ts";

export const session = (id: string, title: string | null = null): SessionRecord => ({
  id,
  agent: "scripted",
  agentSessionId: "agent-1",
  cwd: "/w",
  additionalDirectories: [],
  mcpServers: [],
  env: { KEY: "a secret" },
  setup: [],
  title,
  titleGiven: false,
  modes: null,
  configOptions: [],
  availableCommands: [],
  usage: null,
  permissionPolicy: { mode: "ask" },
  queuePolicy: "queue",
  closed: false,
  turns: 0,
  capabilities: {},
  error: null,
  createdAt: "2026-11-23T10:00:00.000Z",
  updatedAt: "2026-11-23T10:00:00.000Z",
});

export const prompt = (sessionId: string, promptId: string, status: PromptStatus): PromptRecord => ({
  promptId,
  sessionId,
  status,
  content: [{ type: "text", text: "hello" }],
  stopReason: null,
  usage: null,
  error: null,
  seq: 1,
  createdAt: "2026-11-23T10:00:00.000Z",
  startedAt: null,
  endedAt: null,
  meta: null,
  by: "main",
});

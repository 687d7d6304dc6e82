import type { AgentEntry } from "./types.ts";

/** The agents the gateway knows without being told, in the order it lists them. */
export const BUILT_IN_AGENTS: readonly AgentEntry[] = [
  { id: "opencode", name: "OpenCode", command: ["opencode", "acp"] },
  { id: "claude", name: "Claude Code", command: ["claude-agent-acp"] },
  { id: "codex", name: "Codex", command: ["codex-acp"] },
  { id: "gemini", name: "Gemini CLI", command: ["gemini", "--acp"] },
  { id: "qwen", name: "Qwen Code", command: ["qwen", "--acp"] },
  { id: "copilot", name: "GitHub Copilot", command: ["copilot", "--acp"] },
];

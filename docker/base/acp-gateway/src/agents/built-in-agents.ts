import type { AgentEntry, AgentQuirks } from "../types.ts";

/** Keys and addresses of model providers, for agents that use any, those of the user's own making included. */
const PROVIDERS: readonly string[] = "*_API_KEY *_BASE_URL AWS_REGION AWS_PROFILE AWS_BEARER_TOKEN_BEDROCK".split(" ");

/** What holds for an agent of which nothing else was found. */
export const PLAIN_QUIRKS: AgentQuirks = {
  advertiseFs: false,
  cancelsOnSecondPrompt: false,
  loads: true,
  resumes: true,
};

type Known = Pick<AgentEntry, "id" | "name" | "command"> &
  Partial<Omit<AgentEntry, "quirks">> & { quirks?: Partial<AgentQuirks> };

const KNOWN: readonly Known[] = [
  {
    id: "opencode",
    name: "OpenCode",
    command: ["opencode", "acp"],
    env: { OPENCODE_DISABLE_AUTOUPDATE: "1" },
    acceptsEnv: ["OPENCODE_*", ...PROVIDERS],
    install: { package: "opencode-ai", version: "1.18.33", scripts: true },
  },
  {
    id: "claude",
    name: "Claude Code",
    command: ["claude-agent-acp"],
    env: { DISABLE_AUTOUPDATER: "1", DISABLE_TELEMETRY: "1", DISABLE_ERROR_REPORTING: "1" },
    acceptsEnv: ["ANTHROPIC_*", "CLAUDE_*", "AWS_*", "MAX_THINKING_TOKENS", "IS_SANDBOX"],
    install: { package: "@agentclientprotocol/claude-agent-acp", version: "0.101.0" },
    quirks: { defaultMode: "default", minimumNode: 22 },
  },
  {
    id: "codex",
    name: "Codex",
    command: ["codex-acp"],
    env: { NO_BROWSER: "1" },
    acceptsEnv: ["OPENAI_*", "CODEX_*", "DEFAULT_AUTH_REQUEST", "INITIAL_AGENT_MODE", "MODEL_PROVIDER"],
    install: { package: "@agentclientprotocol/codex-acp", version: "2.6.0" },
    quirks: {
      defaultMode: "read-only",
      resumes: false,
      minimumNode: 22,
      authenticate: {
        needs: "OPENAI_API_KEY",
        methodId: "api-key",
        meta: { "api-key": { apiKey: "$OPENAI_API_KEY" } },
        withhold: true,
        unless: ["CODEX_CONFIG", "DEFAULT_AUTH_REQUEST"],
      },
    },
  },
  {
    id: "gemini",
    name: "Gemini CLI",
    command: ["gemini", "--acp"],
    env: { GEMINI_CLI_TRUST_WORKSPACE: "true", GEMINI_TELEMETRY_ENABLED: "false" },
    // Not GOOGLE_GENERATIVE_AI_API_KEY, which it does not read: it would hold the key that is withheld.
    acceptsEnv: [
      "GEMINI_*",
      "GOOGLE_API_KEY",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "GOOGLE_CLOUD_*",
      "GOOGLE_GEMINI_*",
      "GOOGLE_GENAI_*",
    ],
    install: { package: "@google/gemini-cli", version: "0.61.0" },
    quirks: {
      cancelsOnSecondPrompt: true,
      loads: false,
      resumes: false,
      minimumNode: 20,
      authenticate: {
        needs: "GEMINI_API_KEY",
        methodId: "gemini-api-key",
        meta: { "api-key": "$GEMINI_API_KEY" },
        withhold: true,
      },
    },
  },
  {
    id: "qwen",
    name: "Qwen Code",
    command: ["qwen", "--acp"],
    env: { QWEN_TELEMETRY_ENABLED: "false" },
    acceptsEnv: ["OPENAI_*", "QWEN_*", "DASHSCOPE_*", "BAILIAN_*"],
    install: { package: "@qwen-code/qwen-code", version: "0.24.4" },
    quirks: {
      defaultMode: "default",
      cancelsOnSecondPrompt: true,
      minimumNode: 22,
      authenticate: { needs: "OPENAI_API_KEY", methodId: "openai", withhold: false },
    },
  },
  {
    id: "copilot",
    name: "GitHub Copilot",
    command: ["copilot", "--acp"],
    acceptsEnv: ["COPILOT_*", "GH_TOKEN", "GITHUB_TOKEN"],
    install: { package: "@github/copilot", version: "1.0.102" },
    quirks: { cancelsOnSecondPrompt: true, resumes: false, minimumNode: 22 },
  },
  {
    id: "kimi",
    name: "Kimi Code",
    command: ["kimi", "acp"],
    acceptsEnv: ["KIMI_*", "MOONSHOT_*"],
    install: { package: "@moonshot-ai/kimi-code", version: "2.1.0" },
    quirks: { minimumNode: 22 },
  },
  {
    id: "kilo",
    name: "Kilo Code",
    command: ["kilo", "acp"],
    acceptsEnv: ["KILO_*", ...PROVIDERS],
    // The package that all platforms share failed to install.
    install: process.arch === "arm64" ? null : { package: "@kilocode/cli-linux-x64", version: "7.7.9" },
  },
  {
    id: "auggie",
    name: "Auggie",
    command: ["auggie", "--acp"],
    acceptsEnv: ["AUGMENT_*"],
    install: { package: "@augmentcode/auggie", version: "0.36.0" },
    quirks: { minimumNode: 20 },
  },
  {
    id: "cline",
    name: "Cline",
    command: ["cline", "--acp"],
    acceptsEnv: ["CLINE_*", ...PROVIDERS],
    install: { package: "cline", version: "3.0.65", scripts: true },
    quirks: { minimumNode: 20 },
  },
  {
    id: "qoder",
    name: "Qoder",
    command: ["qodercli", "--acp"],
    acceptsEnv: ["QODER_*"],
    install: { package: "@qoder-ai/qodercli", version: "1.1.52", scripts: true },
    quirks: { minimumNode: 20 },
  },
  {
    id: "droid",
    name: "Droid",
    command: ["droid", "exec", "--output-format", "acp"],
    acceptsEnv: ["FACTORY_*"],
    install: { package: "droid", version: "0.215.0", scripts: true },
    quirks: { minimumNode: 20 },
  },
  { id: "goose", name: "goose", command: ["goose", "acp"], acceptsEnv: ["GOOSE_*", ...PROVIDERS] },
];

/** The agents the gateway knows without being told, in the order it lists them. */
export const BUILT_IN_AGENTS: readonly AgentEntry[] = KNOWN.map((known) => ({
  env: {},
  acceptsEnv: [],
  process: "session",
  install: null,
  ...known,
  quirks: { ...PLAIN_QUIRKS, ...known.quirks },
}));

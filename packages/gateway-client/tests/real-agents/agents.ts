import { join } from "node:path";
import type { NewSession } from "../../src/index.ts";
import type { ModelServer } from "../../../../docker/base/acp-gateway/tests/support/model-server/index.ts";

/** What an agent needs to talk to the model server instead of its own provider, and to ask before it writes. */
export type Setup = {
  /** Files of its home, by their path there. */
  files?: Record<string, unknown>;
  env: Record<string, string>;
  /** Further fields of `POST /v1/sessions`. */
  session?: Partial<NewSession>;
  /** A second process can read what the first one was told. */
  loads: boolean;
};

type Agent = (model: ModelServer, home: string) => Setup;

export const AGENTS: Readonly<Record<string, Agent>> = {
  opencode: (model, home) => ({
    files: {
      "opencode.json": {
        autoupdate: false,
        share: "disabled",
        model: `scripted/${model.model}`,
        small_model: `scripted/${model.model}`,
        enabled_providers: ["scripted"],
        permission: { edit: "ask", bash: "ask" },
        provider: {
          scripted: {
            npm: "@ai-sdk/openai-compatible",
            name: "Scripted",
            options: { baseURL: `${model.url}/v1`, apiKey: "key-of-the-tests" },
            models: { [model.model]: { name: "Scripted", tool_call: true, limit: { context: 128_000, output: 8192 } } },
          },
        },
      },
    },
    env: { OPENCODE_CONFIG: join(home, "opencode.json") },
    loads: true,
  }),

  claude: (model, home) => ({
    env: {
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: "key-of-the-tests",
      CLAUDE_CONFIG_DIR: join(home, "claude"),
    },
    session: { mode: "default" },
    loads: true,
  }),

  codex: (model) => ({
    env: {
      CODEX_CONFIG: JSON.stringify({
        model: model.model,
        model_provider: "scripted",
        model_providers: {
          scripted: {
            name: "Scripted",
            base_url: `${model.url}/v1`,
            wire_api: "responses",
            requires_openai_auth: false,
          },
        },
      }),
      INITIAL_AGENT_MODE: "read-only",
    },
    loads: true,
  }),

  gemini: (model) => ({
    env: { GEMINI_API_KEY: "key-of-the-tests", GOOGLE_GEMINI_BASE_URL: model.url },
    loads: false,
  }),

  qwen: (model) => ({
    env: { OPENAI_API_KEY: "key-of-the-tests", OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_MODEL: model.model },
    session: { mode: "default" },
    loads: true,
  }),
};

import type { Provider } from "../models/provider.ts";

/** What tools look for, by the id of the provider; `baseUrl` is where they go without being told. */
const KNOWN: Readonly<Record<string, { keys: readonly string[]; baseUrlName: string; baseUrl: string }>> = {
  anthropic: {
    keys: ["ANTHROPIC_API_KEY"],
    baseUrlName: "ANTHROPIC_BASE_URL",
    baseUrl: "https://api.anthropic.com",
  },
  openai: { keys: ["OPENAI_API_KEY"], baseUrlName: "OPENAI_BASE_URL", baseUrl: "https://api.openai.com/v1" },
  google: {
    keys: ["GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
    baseUrlName: "GOOGLE_GEMINI_BASE_URL",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  },
  openrouter: {
    keys: ["OPENROUTER_API_KEY"],
    baseUrlName: "OPENROUTER_BASE_URL",
    baseUrl: "https://openrouter.ai/api/v1",
  },
  mistral: { keys: ["MISTRAL_API_KEY"], baseUrlName: "MISTRAL_BASE_URL", baseUrl: "https://api.mistral.ai/v1" },
  deepseek: { keys: ["DEEPSEEK_API_KEY"], baseUrlName: "DEEPSEEK_BASE_URL", baseUrl: "https://api.deepseek.com/v1" },
  groq: { keys: ["GROQ_API_KEY"], baseUrlName: "GROQ_BASE_URL", baseUrl: "https://api.groq.com/openai/v1" },
  xai: { keys: ["XAI_API_KEY"], baseUrlName: "XAI_BASE_URL", baseUrl: "https://api.x.ai/v1" },
};

const knownNames = new Set(Object.values(KNOWN).flatMap(({ keys, baseUrlName }) => [...keys, baseUrlName]));

/** What of a provider decides on its variables. */
type Described = Pick<Provider, "id" | "type" | "baseUrl">;

/**
 * The environment that stands for a provider and a key of it. Empty for a provider that no tool
 * looks for: one that is not known and does not speak OpenAI's protocol.
 */
export function providerEnvironment({ id, type, baseUrl }: Described, key: string): Record<string, string> {
  const known = Object.hasOwn(KNOWN, id) ? KNOWN[id] : undefined;
  const prefix = id.toUpperCase().replaceAll("-", "_");
  if (known === undefined && (type !== "openai-compatible" || !isFree(prefix))) return {};
  const keys = known?.keys ?? [`${prefix}_API_KEY`];
  const isElsewhere = baseUrl !== null && baseUrl !== known?.baseUrl;
  return {
    ...Object.fromEntries(keys.map((name) => [name, key])),
    ...(isElsewhere ? { [known?.baseUrlName ?? `${prefix}_BASE_URL`]: baseUrl } : {}),
  };
}

/** Whether names made with the prefix are names at all, and no other provider's. */
function isFree(prefix: string): boolean {
  return (
    /^[A-Z_][A-Z0-9_]*$/.test(prefix) && !["API_KEY", "BASE_URL"].some((end) => knownNames.has(`${prefix}_${end}`))
  );
}

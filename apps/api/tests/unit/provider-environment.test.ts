import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { getAllProviders } from "../../src/models/index.ts";
import { providerEnvironment } from "../../src/services/provider-environment.ts";

const namesOf = (id: string, type: string, baseUrl: string | null = null) =>
  Object.keys(providerEnvironment({ id, type, baseUrl }, "key"));

describe("a provider's environment", () => {
  test("is the key alone for every seeded provider, under the names that tools look for", () => {
    const db = openDatabase(":memory:", { migrate: true });
    const names = getAllProviders(db).map((provider) => [
      provider.id,
      ...Object.keys(providerEnvironment(provider, "")),
    ]);
    expect(names).toEqual([
      ["anthropic", "ANTHROPIC_API_KEY"],
      ["openai", "OPENAI_API_KEY"],
      ["google", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
      ["openrouter", "OPENROUTER_API_KEY"],
      ["mistral", "MISTRAL_API_KEY"],
      ["deepseek", "DEEPSEEK_API_KEY"],
      ["groq", "GROQ_API_KEY"],
      ["xai", "XAI_API_KEY"],
    ]);
  });

  test("has the address too where it is not the usual one", () => {
    expect(
      providerEnvironment({ id: "google", type: "google", baseUrl: "https://proxy.example.com/g" }, "key"),
    ).toEqual({
      GEMINI_API_KEY: "key",
      GOOGLE_GENERATIVE_AI_API_KEY: "key",
      GOOGLE_GEMINI_BASE_URL: "https://proxy.example.com/g",
    });
    expect(namesOf("openai", "openai", null)).toEqual(["OPENAI_API_KEY"]);
  });

  test("follows from the id of any other that speaks OpenAI's protocol", () => {
    expect(namesOf("local-llm", "openai-compatible", "http://127.0.0.1:8080/v1")).toEqual([
      "LOCAL_LLM_API_KEY",
      "LOCAL_LLM_BASE_URL",
    ]);
    expect(namesOf("together", "openai-compatible")).toEqual(["TOGETHER_API_KEY"]);
    expect(namesOf("other", "anthropic")).toEqual([]);
  });

  test.each(["gemini", "1st", "a b", "a=b", "", "ünï", "__proto__=", "google-gemini"])(
    "is empty for an id that makes no name of its own (%j)",
    (id) => {
      expect(namesOf(id, "openai-compatible", "http://127.0.0.1:8080/v1")).toEqual([]);
    },
  );
});

import type { Database } from "bun:sqlite";

const now = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

export function up(db: Database) {
  db.run(`
    CREATE TABLE IF NOT EXISTS providers (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      type TEXT NOT NULL,
      base_url TEXT,
      is_enabled INTEGER NOT NULL DEFAULT 1,
      is_default INTEGER NOT NULL DEFAULT 0,
      sort_order INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL DEFAULT ${now},
      updated_at TEXT NOT NULL DEFAULT ${now}
    )
  `);

  db.run(`
    CREATE TABLE IF NOT EXISTS provider_credentials (
      id TEXT PRIMARY KEY,
      provider_id TEXT NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
      label TEXT NOT NULL,
      encrypted_value TEXT NOT NULL,
      key_id TEXT NOT NULL,
      created_at TEXT NOT NULL DEFAULT ${now},
      updated_at TEXT NOT NULL DEFAULT ${now},
      UNIQUE (provider_id, label)
    )
  `);

  db.run(`
    INSERT OR IGNORE INTO providers (id, name, type, base_url, is_default, sort_order) VALUES
    ('anthropic', 'Anthropic', 'anthropic', 'https://api.anthropic.com', 1, 1),
    ('openai', 'OpenAI', 'openai', 'https://api.openai.com/v1', 0, 2),
    ('google', 'Google Gemini', 'google', 'https://generativelanguage.googleapis.com/v1beta', 0, 3),
    ('openrouter', 'OpenRouter', 'openai-compatible', 'https://openrouter.ai/api/v1', 0, 4),
    ('mistral', 'Mistral', 'openai-compatible', 'https://api.mistral.ai/v1', 0, 5),
    ('deepseek', 'DeepSeek', 'openai-compatible', 'https://api.deepseek.com/v1', 0, 6),
    ('groq', 'Groq', 'openai-compatible', 'https://api.groq.com/openai/v1', 0, 7),
    ('xai', 'xAI', 'openai-compatible', 'https://api.x.ai/v1', 0, 8)
  `);
}

export function down(db: Database) {
  db.run("DROP TABLE provider_credentials");
  db.run("DROP TABLE providers");
}

import { GatewayError } from "../gateway-error.ts";
import type { AgentHandle } from "../types.ts";
import type { JsonObject, JsonValue, NewSession } from "../wire/index.ts";
import type { SessionContext } from "./context.ts";
import { hasCode } from "./failure.ts";
import type { SessionRecord } from "./live-session.ts";
import { objectOf, textOf } from "./json.ts";

export type Wishes = Pick<NewSession, "mode" | "model" | "config">;
/** A session of the agent at which something is to be set. */
type Target = { handle: AgentHandle; agentSessionId: string; record: SessionRecord };

type Told = Pick<SessionRecord, "modes" | "configOptions">;
export type SettingsKept = Told & { told: Told };

const LEGACY_MODEL = "model";
export type Settings = ReturnType<typeof createSettings>;

/** Modes, models and config options: set, and set again after the agent forgot them. */
export function createSettings({ timing }: SessionContext) {
  const options = { timeoutMs: timing.settingMs };

  async function setMode({ handle, agentSessionId, record }: Target, modeId: string): Promise<void> {
    const offered = modesOf(record);
    if (offered.length === 0) throw new GatewayError("not_supported", `${record.agent} has no modes`);
    if (!offered.includes(modeId)) throw unknown("mode", modeId, offered);
    await handle.request("session/set_mode", { sessionId: agentSessionId, modeId }, options);
    record.modes = { ...record.modes, currentModeId: modeId };
  }

  async function setConfig(target: Target, configId: string, value: string | boolean): Promise<void> {
    const { handle, agentSessionId, record } = target;
    const option = record.configOptions.find(({ id }) => id === configId);
    if (!option) {
      if (record.configOptions.length === 0) throw new GatewayError("not_supported", `${record.agent} has no options`);
      throw unknown(
        "configId",
        configId,
        record.configOptions.map(({ id }) => textOf(id)),
      );
    }
    if ((option["type"] === "boolean") !== (typeof value === "boolean")) {
      const type = option["type"] === "boolean" ? "true or false" : "a text";
      throw new GatewayError("invalid_request", `value: the option ${configId} takes ${type}`, {
        errors: [{ path: "/value", code: "type", message: `the option ${configId} takes ${type}` }],
      });
    }
    if (isLegacyModel(option)) {
      await handle.request("session/set_model", { sessionId: agentSessionId, modelId: value }, options);
      option["currentValue"] = value;
      return;
    }
    const typed = typeof value === "boolean" ? { type: "boolean", value } : { value };
    const answer = await handle.request(
      "session/set_config_option",
      { sessionId: agentSessionId, configId, ...typed },
      options,
    );
    if (Array.isArray(answer["configOptions"])) record.configOptions = answer["configOptions"].map(objectOf);
    else option["currentValue"] = value;
  }

  async function setModel(target: Target, model: string): Promise<void> {
    const { configOptions, agent } = target.record;
    const option = configOptions.find(({ category }) => category === "model");
    if (!option) throw new GatewayError("not_supported", `${agent} lets no model be chosen`);
    await setConfig(target, textOf(option["id"]), model);
  }

  return {
    setMode,
    setConfig,

    /** What a new session was asked to begin with; else the mode the registry has for the agent. */
    async begin(target: Target, { mode, model, config = {} }: Wishes, defaultMode: string | undefined): Promise<void> {
      if (mode !== undefined) await setMode(target, mode);
      else if (defaultMode !== undefined && modesOf(target.record).includes(defaultMode)) {
        await setMode(target, defaultMode);
      }
      if (model !== undefined) await setModel(target, model);
      for (const [id, value] of Object.entries(config)) await setConfig(target, id, value);
    },

    /**
     * Sets again what was set before the process ended. Says what could not be: a session must not
     * run in another mode unnoticed. What the new process has not told is set in any case.
     */
    async restore(target: Target, before: SettingsKept): Promise<string[]> {
      const lost: string[] = [];
      const attempt = (name: string, set: Promise<void>) =>
        set.catch((error: unknown) => {
          // Of an agent that has ended nothing is lost: the next one is set.
          if (hasCode(error, "agent_exited")) throw error;
          lost.push(name);
        });
      const mode = before.modes?.["currentModeId"];
      const { record } = target;
      const isSet = before.told.modes !== record.modes && record.modes?.["currentModeId"] === mode;
      if (typeof mode === "string" && record.modes !== null && !isSet) {
        await attempt("mode", setMode(target, mode));
      }
      const isTold = before.told.configOptions !== record.configOptions;
      for (const { id, currentValue } of before.configOptions) {
        const now = record.configOptions.find((option) => option["id"] === id);
        if (now === undefined || typeof id !== "string") continue;
        if (isTold && now["currentValue"] === currentValue) continue;
        if (typeof currentValue === "string" || typeof currentValue === "boolean") {
          await attempt(id, setConfig(target, id, currentValue));
        }
      }
      return lost;
    },
  };
}

/** As the settings are now. What is told of them later takes the place of what `told` holds. */
export function keepSettings({ modes, configOptions }: Told): SettingsKept {
  return { ...structuredClone({ modes, configOptions }), told: { modes, configOptions } };
}

/** Takes over what the answer to session/new, load, resume or fork says of modes and options. */
export function takeSettings(record: SessionRecord, answer: JsonObject): void {
  if (answer["modes"] !== undefined) record.modes = orNull(answer["modes"]);
  if (Array.isArray(answer["configOptions"])) record.configOptions = answer["configOptions"].map(objectOf);
  const legacy = legacyModels(answer["models"]);
  if (legacy && !record.configOptions.some(({ category }) => category === "model")) {
    record.configOptions = [...record.configOptions, legacy];
  }
}

/** Some agents still answer with `models` as before config options: shown as one. */
function legacyModels(value: JsonValue | undefined): JsonObject | null {
  const { availableModels, currentModelId } = objectOf(value);
  if (!Array.isArray(availableModels) || typeof currentModelId !== "string") return null;
  return {
    id: LEGACY_MODEL,
    name: "Model",
    category: "model",
    type: "select",
    currentValue: currentModelId,
    options: availableModels.map(objectOf).map(({ modelId, name }) => ({ value: modelId ?? null, name: name ?? null })),
    _meta: { gateway: { legacy: "models" } },
  };
}

const isLegacyModel = (option: JsonObject) => objectOf(objectOf(option["_meta"])["gateway"])["legacy"] === "models";
const orNull = (value: JsonValue): JsonObject | null => (value === null ? null : objectOf(value));

function modesOf({ modes }: SessionRecord): string[] {
  const available = modes?.["availableModes"];
  return Array.isArray(available) ? available.map((mode) => textOf(objectOf(mode)["id"])) : [];
}

function unknown(member: string, value: string, offered: readonly string[]): GatewayError {
  const message = `there is no ${JSON.stringify(value.slice(0, 64))}; the agent offers ${offered.slice(0, 20).join(", ")}`;
  return new GatewayError("invalid_request", `${member}: ${message}`, {
    errors: [{ path: `/${member}`, code: "not_offered", message }],
  });
}

import type { Limits } from "../types.ts";
import type { SettingReader } from "./reader.ts";

const MiB = 1024 * 1024;

export const DEFAULT_LIMITS: Readonly<Limits> = {
  sessions: 256,
  processes: 32,
  queuedPrompts: 16,
  pendingPermissions: 64,
  readersPerSession: 64,
  readers: 512,
  sockets: 512,
  terminals: 16,
  bodyBytes: 16 * MiB,
  bodiesBytes: 64 * MiB,
  lineBytes: 32 * MiB,
  fileBytes: 64 * MiB,
  requestsInFlight: 1024,
  // A thousand a second, on and on: ten busy dashboards stay far below that, a program that runs in circles does not.
  requestsPerMinute: 60_000,
  wrongTokensPerMinute: 60,
};

const VALUE_MAX = 2 ** 40;
const CAN_BE_OFF = new Set<string>(["requestsPerMinute", "wrongTokensPerMinute"] satisfies (keyof Limits)[]);

/** Every limit can be set as AGENTPOD_GATEWAY_LIMIT_ and its name, such as ..._LIMIT_BODY_BYTES. */
export function readLimits(settings: SettingReader): Limits {
  const limits = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
    const min = CAN_BE_OFF.has(name) ? 0 : 1;
    limits[name as keyof Limits] = settings.whole(variableOf(name), value, { min, max: VALUE_MAX });
  }
  return limits;
}

function variableOf(name: string): string {
  return `AGENTPOD_GATEWAY_LIMIT_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

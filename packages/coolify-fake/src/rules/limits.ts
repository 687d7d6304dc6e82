import type { Limits } from "../state.ts";

const UNITS: Record<string, number> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const MEMORY_MIN = 6 * 2 ** 20;

/** Bytes of a size as compose reads it (`2g`, `300mb`, `2Gi`, plain bytes), or null. */
function bytesOf(size: string): number | null {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b?)$/i.exec(size) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return digits === undefined || factor === undefined ? null : Math.floor(Number(digits) * factor);
}

/** Why docker or compose on a server with so many CPUs would not take these limits, or null. */
export function whyLimitsFail(limits: Limits, serverCpus: number): string | null {
  const memory = bytesOf(limits.limits_memory);
  if (memory === null) return `error decoding 'mem_limit': invalid size: '${limits.limits_memory}'`;
  const swap = bytesOf(limits.limits_memory_swap);
  if (swap === null) return `error decoding 'memswap_limit': invalid size: '${limits.limits_memory_swap}'`;
  const reserved = bytesOf(limits.limits_memory_reservation);
  if (reserved === null) return `error decoding 'mem_reservation': invalid size: '${limits.limits_memory_reservation}'`;
  if (memory !== 0 && memory < MEMORY_MIN) return "Error response from daemon: Minimum memory limit allowed is 6MB";
  if (swap !== 0 && swap < memory) {
    return "Error response from daemon: Minimum memoryswap limit should be larger than memory limit, see usage";
  }
  if (memory !== 0 && reserved > memory) {
    return "Error response from daemon: Minimum memory limit can not be less than memory reservation limit, see usage";
  }
  const cpus = cpusOf(limits.limits_cpus);
  if (cpus !== 0 && (cpus < 0.01 || cpus > serverCpus)) {
    return `Error response from daemon: Range of CPUs is from 0.01 to ${serverCpus}.00, as there are only ${serverCpus} CPUs available`;
  }
  return null;
}

/** PHP's cast to a float: the number a text starts with, else 0. */
const cpusOf = (text: string) => Number(/^\s*[+-]?\d+(?:\.\d+)?/.exec(text)?.[0] ?? 0);

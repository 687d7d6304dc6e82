import { unsafeValue } from "./errors.ts";

/** Docker refuses less. */
const MEMORY_MIB_MIN = 6;
const CPUS_MIN = 0.01;
const CPUS_MAX = 1024;

/** `limits_memory` for a number of bytes, rounded down to whole MiB: Coolify reads a plain number as bytes. */
export function memoryLimit(bytes: number): string {
  const mib = Math.floor(bytes / 2 ** 20);
  if (!Number.isSafeInteger(mib) || mib < MEMORY_MIB_MIN) {
    throw unsafeValue([{ path: "limits_memory", message: `must be at least ${MEMORY_MIB_MIN} MiB, given in bytes` }]);
  }
  return `${mib}m`;
}

/** `limits_cpus` for a number of CPUs, to a hundredth. */
export function cpuLimit(cpus: number): string {
  const rounded = Math.round(cpus * 100) / 100;
  if (!Number.isFinite(rounded) || rounded < CPUS_MIN || rounded > CPUS_MAX) {
    throw unsafeValue([{ path: "limits_cpus", message: `must be a number of CPUs from ${CPUS_MIN} to ${CPUS_MAX}` }]);
  }
  return String(rounded);
}

/** Coolify takes any string here; a bad one only shows as a failed deployment, or as no limit at all. */
export function memoryTextProblem(text: string): string | null {
  if (text === "0") return null;
  const mib = memoryMib(text);
  if (mib === null) return 'must be a whole number with the unit m or g, such as "512m", or "0" for none';
  return mib < MEMORY_MIB_MIN ? `must be at least ${MEMORY_MIB_MIN}m` : null;
}

export function cpuTextProblem(text: string): string | null {
  if (text === "0") return null;
  const cpus = /^\d{1,4}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  return cpus >= CPUS_MIN && cpus <= CPUS_MAX
    ? null
    : `must be a number of CPUs from ${CPUS_MIN} to ${CPUS_MAX} without a unit, such as "0.5", or "0" for none`;
}

/** Swap counts memory in: less than the memory fails, the same means no swap. Both as strings, or undefined. */
export function swapProblem(memory: string | undefined, swap: string | undefined): string | null {
  if (memory === undefined || swap === undefined || swap === "0") return null;
  const memoryMibs = memory === "0" ? Number.POSITIVE_INFINITY : memoryMib(memory);
  const swapMibs = memoryMib(swap);
  if (memoryMibs === null || swapMibs === null) return null;
  return swapMibs < memoryMibs ? "must be at least limits_memory, which it includes" : null;
}

function memoryMib(text: string): number | null {
  const match = /^([1-9]\d{0,8})([mg])b?$/i.exec(text);
  if (match === null) return null;
  return Number(match[1]) * (match[2]?.toLowerCase() === "g" ? 1024 : 1);
}

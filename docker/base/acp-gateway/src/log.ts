/** Writes one JSON line to stdout. The caller passes nothing secret. */
export function logLine(message: string, fields: Record<string, unknown> = {}): void {
  const entry = { time: new Date().toISOString(), service: "acp-gateway", message, ...fields };
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

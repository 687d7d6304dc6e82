import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";

export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error" | "isLevelEnabled">;

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** One JSON object a line. Known names of secrets are blanked, whoever logs them. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const secrets = ["authorization", "token", "gatewayToken", "apiToken", "password", "secret", "encryptionKey"];
  const redact = { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: "[redacted]" };
  const formatters = { level: (label: string) => ({ level: label }) };
  const options = { level, redact, formatters, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return destination === undefined ? pino(options) : pino(options, destination);
}

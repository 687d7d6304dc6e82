const FRAMES_MAX = 8;
const REASON_LENGTH_MAX = 1000;

type BugWatchDeps = {
  log: (message: string, fields: Record<string, unknown>) => void;
  /** Blanks what may stand in no log. */
  redact: (text: string) => string;
  /** After an exception nobody knows what else is left undone: it ends the process in order. */
  end: () => Promise<void>;
};

/**
 * What no caller was there to hear of is a bug. A rejection has ended one piece of work, and the rest goes on;
 * an exception ends the process. Each is one line in the log.
 */
export function watchForBugs({ log, redact, end }: BugWatchDeps): void {
  const describe = (error: unknown) => {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: "" };
    const frames = (stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
    return {
      reason: redact(message).slice(0, REASON_LENGTH_MAX),
      frames: frames.slice(0, FRAMES_MAX).map((frame) => redact(frame.trim()).slice(0, REASON_LENGTH_MAX)),
    };
  };
  process.on("unhandledRejection", (error) => log("unhandled rejection", describe(error)));
  process.on("uncaughtException", (error) => {
    log("uncaught exception", describe(error));
    void end();
  });
}

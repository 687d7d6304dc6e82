import { emit, persist, type SessionContext } from "./context.ts";
import { isIdle, type Leases } from "./leases.ts";

/** Ends the processes of sessions nobody has used or looked at for a while. Returns what stops it. */
export function startIdleReaper(context: SessionContext, leases: Leases): () => void {
  const { config, timing, sessions } = context;
  const idleMs = config.idleSeconds * 1000;
  if (idleMs === 0) return () => {};

  function sweep(): void {
    for (const session of sessions.values()) {
      if (!isIdle(session) || context.now() - session.lastUsedMs < idleMs) continue;
      void leases.release(session);
      emit(context, session, "session_updated", { status: "dormant" });
      persist(context, session, false);
    }
  }

  const timer = setInterval(sweep, Math.min(timing.sweepMs, idleMs));
  timer.unref();
  return () => clearInterval(timer);
}

import { randomBytes } from "node:crypto";

const SESSIONS_MAX = 100;
export const SESSION_SECONDS = 12 * 60 * 60;

export interface Sessions {
  /** @returns a new session's id, 256 random bits */
  open: () => string;
  /** Whether the session stands; asking keeps it for another twelve hours. */
  stands: (id: string | undefined) => id is string;
  close: (id: string) => void;
}

/**
 * Logins, kept in memory: a restart of the server asks for the password again.
 * @param now milliseconds
 */
export function createSessions({ now }: { now: () => number }): Sessions {
  // In the order of their last use, so that the first is the one to drop.
  const ends = new Map<string, number>();

  function keep(id: string): void {
    ends.delete(id);
    ends.set(id, now() + SESSION_SECONDS * 1000);
  }

  return {
    open() {
      const [oldest] = ends.keys();
      if (oldest !== undefined && ends.size >= SESSIONS_MAX) ends.delete(oldest);
      const id = randomBytes(32).toString("base64url");
      keep(id);
      return id;
    },
    stands(id): id is string {
      const end = id === undefined ? undefined : ends.get(id);
      if (id === undefined || end === undefined) return false;
      if (end <= now()) {
        ends.delete(id);
        return false;
      }
      keep(id);
      return true;
    },
    close: (id) => void ends.delete(id),
  };
}

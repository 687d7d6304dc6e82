import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

/** Which application of Coolify belongs to a project; null for none. */
export function applicationRecords(db: Database) {
  return {
    find(projectId: string): string | null {
      const sql = `SELECT coolify_app_uuid AS "uuid" FROM projects WHERE id = ?1`;
      return prepared<{ uuid: string | null }, [string]>(db, sql).get(projectId)?.uuid ?? null;
    },

    /** Does nothing for a project that is gone. */
    save(projectId: string, uuid: string | null): void {
      prepared(db, "UPDATE projects SET coolify_app_uuid = ?2 WHERE id = ?1").run(projectId, uuid);
    },
  };
}

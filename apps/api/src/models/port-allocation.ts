import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

/** A sandbox's service, and the port of this host's loopback that is kept for it. */
export interface PortAllocation {
  /** Null where a proxy routes to the service instead. */
  port: number | null;
  projectId: string;
  /** Unique for the project. */
  name: string;
  containerPort: number;
}

export type PortConflict =
  | { ok: false; reason: "port_taken"; port: number }
  | { ok: false; reason: "name_taken"; name: string };

const fields = `port, project_id AS "projectId", name, container_port AS "containerPort"`;

/** All of them or, at the first conflict, none. Takes part in the caller's transaction. */
export function allocatePorts(
  db: Database,
  projectId: string,
  ports: readonly Omit<PortAllocation, "projectId">[],
): { ok: true } | PortConflict {
  return db
    .transaction(() => {
      const taken = allocatedPorts(db);
      const names = new Set(listPorts(db, projectId).map(({ name }) => name));
      for (const { port, name } of ports) {
        if (port !== null && taken.has(port)) return { ok: false as const, reason: "port_taken" as const, port };
        if (names.has(name)) return { ok: false as const, reason: "name_taken" as const, name };
        if (port !== null) taken.add(port);
        names.add(name);
      }
      const insert = "INSERT INTO port_allocations (port, project_id, name, container_port) VALUES (?1, ?2, ?3, ?4)";
      for (const { port, name, containerPort } of ports) prepared(db, insert).run(port, projectId, name, containerPort);
      return { ok: true as const };
    })
    .immediate();
}

/** A project's ports by the port inside. */
export function listPorts(db: Database, projectId: string): PortAllocation[] {
  const sql = `SELECT ${fields} FROM port_allocations WHERE project_id = ?1 ORDER BY container_port, name`;
  return prepared<PortAllocation, [string]>(db, sql).all(projectId);
}

/** Says how many were given back. Names narrow it to these services. */
export function releasePorts(db: Database, projectId: string, names?: readonly string[]): number {
  const all = "DELETE FROM port_allocations WHERE project_id = ?1";
  return names === undefined
    ? prepared(db, all).run(projectId).changes
    : prepared(db, `${all} AND name IN (SELECT value FROM json_each(?2))`).run(projectId, JSON.stringify(names))
        .changes;
}

/** Every port that is kept for some project. */
export function allocatedPorts(db: Database): Set<number> {
  const rows = prepared<{ port: number }, []>(db, "SELECT port FROM port_allocations WHERE port IS NOT NULL").all();
  return new Set(rows.map(({ port }) => port));
}

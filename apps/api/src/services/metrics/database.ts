import type { Database } from "bun:sqlite";
import { createRevision } from "../../db/revision.ts";
import { databaseStatistics } from "../../db/statistics.ts";
import { countActiveOperations } from "../../models/operation-count.ts";
import { countProjectsByStatus } from "../../models/project-count.ts";
import type { Family, Sample } from "./exposition.ts";
import { gauge } from "./process.ts";

/** What the database holds and takes. While it cannot be read, `agentpod_database_up` is 0 and all there is. */
export function createDatabaseMetrics(db: Database): () => Family[] {
  const revision = createRevision(db);
  let counted: { at: number; samples: Sample[] } | undefined;

  /** Counted again only after a change: with 100,000 projects it takes milliseconds. */
  function projects(): Family {
    const at = revision();
    if (counted?.at !== at) counted = { at, samples: byLabel("status", countProjectsByStatus(db)) };
    return { name: "agentpod_projects", help: "Projects by status", type: "gauge", samples: counted.samples };
  }

  function read(): Family[] {
    const { backup, ...now } = databaseStatistics(db);
    return [
      gauge("agentpod_database_bytes", "Size of the database file", now.bytes),
      gauge("agentpod_database_wal_bytes", "Size of the write-ahead log", now.walBytes),
      gauge("agentpod_database_page_bytes", "Size of a page", now.pageBytes),
      gauge("agentpod_database_pages", "Pages of the database", now.pages),
      gauge("agentpod_database_free_pages", "Pages that hold nothing", now.freePages),
      gauge("agentpod_database_schema_version", "The last migration that was applied", now.schemaVersion),
      ...(backup === undefined
        ? []
        : [
            gauge(
              "agentpod_database_backup_timestamp_seconds",
              "When the newest backup beside the database was made, as seconds since 1970",
              backup.at.getTime() / 1000,
            ),
            gauge(
              "agentpod_database_backup_schema_version",
              "The last migration in the newest backup beside the database",
              backup.schemaVersion,
            ),
          ]),
      projects(),
      {
        name: "agentpod_operations_in_progress",
        help: "Operations that are at work (active) or wait for their turn (queued)",
        type: "gauge",
        samples: byLabel("state", countActiveOperations(db)),
      },
    ];
  }

  return () => {
    const up = (value: 0 | 1) => gauge("agentpod_database_up", "Whether the database can be read", value);
    try {
      return [up(1), ...read()];
    } catch {
      return [up(0)];
    }
  };
}

function byLabel(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

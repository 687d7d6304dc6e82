import { dirname, join } from "node:path";
import { createEventLog, type EventLogLimits } from "../event-emitter.ts";
import type { SessionStores } from "../sessions/stores.ts";
import type { EventLog } from "../types.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { lockFolder } from "./folder-lock.ts";
import { guardDatabase } from "./guard.ts";
import { hideFromGit } from "./hide-from-git.ts";
import { moveFromOldPlace } from "./old-place.ts";
import { openDatabase } from "./open-database.ts";
import { readBootId, skipLostNumbers } from "./power-cut.ts";
import type { Retention } from "./retention.ts";
import { createSessionStores } from "./session-stores.ts";
import { messageOf } from "./storage-error.ts";

export type StorageOptions = {
  /** Absolute; made when it is not there. Only one process at a time can work in it. */
  folder: string;
  /** `normal`: committed events survive a power cut, the last ones perhaps not; `off`: only the end of the process. */
  synchronous: "normal" | "off";
  retention: Retention;
  /** Told of what goes wrong, without secrets. */
  report: (message: string, fields: Record<string, unknown>) => void;
  now: () => Date;
  limits?: Partial<EventLogLimits>;
  /** Names this start of the system. */
  bootId?: string;
};

export type Storage = { log: EventLog; stores: SessionStores };

/**
 * Opens what outlives the gateway. `log.close()` closes it.
 * @throws StorageError whose message says what helps
 */
export function openStorage(options: StorageOptions): Storage {
  const { folder, synchronous, retention, report, now, limits, bootId = readBootId() } = options;
  const file = join(folder, "log/gateway.sqlite");
  const unlock = lockFolder(folder);
  try {
    // The second one stays when others clean up.
    for (const hidden of [folder, dirname(file)]) hideFromGit(hidden);
    moveFromOldPlace(folder, file);
    const db = openDatabase({ file, synchronous, now, report });
    try {
      skipLostNumbers(db, bootId);
    } catch (error) {
      // On a full disk what is there can still be read.
      report("the log cannot be written", { error: messageOf(error) });
    }
    const checkpoints = createCheckpoints({ db, synchronous, report });
    const guard = guardDatabase(file);
    const isGone = (): boolean => guard.isGone();
    const close = (): void => {
      guard.end(() => checkpoints.close());
      unlock();
    };
    const deps = { db, checkpoints, isGone, close, retention, report, now };
    const log = createEventLog({ ...deps, ...(limits && { limits }) });
    return { log, stores: createSessionStores(db) };
  } catch (error) {
    unlock();
    throw error;
  }
}

import { readFileSync } from "node:fs";
import type { Database } from "bun:sqlite";
import * as initial from "./001_initial.ts";
import * as providers from "./002_providers.ts";
import * as modularContainers from "./003_modular_containers.ts";
import * as operations from "./004_operations.ts";
import * as durability from "./005_durability.ts";

/** A change of the schema. A released one is never edited: write a new one instead. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  id: number;
  name: string;
  /** The text that the checksum is over. */
  source: () => string;
  up: (db: Database) => void;
  /** Undoes `up`: same tables, same rows. */
  down: (db: Database) => void;
}

export const migrations: readonly Migration[] = [
  migration(1, "001_initial", initial),
  migration(2, "002_providers", providers),
  migration(3, "003_modular_containers", modularContainers),
  migration(4, "004_operations", operations),
  migration(5, "005_durability", durability),
];

function migration(id: number, name: string, { up, down }: Pick<Migration, "up" | "down">): Migration {
  return { id, name, up, down, source: () => readFileSync(new URL(`./${name}.ts`, import.meta.url), "utf8") };
}

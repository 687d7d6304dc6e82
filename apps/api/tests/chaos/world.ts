import type { Project } from "@agentpod/types";
import type { Random } from "../support/random.ts";

/** What runs for a project, as found where it runs and not through the API. */
export interface Actual {
  projectId: string;
  isRunning: boolean;
  /** What runs, in words that `expected` gives for a project; null while nothing runs. */
  configuration: string | null;
}

/** A place where sandboxes run and things go wrong. */
export interface World {
  /** Environment of the API. */
  env: Readonly<Record<string, string>>;
  /** Makes something go wrong soon; says what. */
  disturb: (random: Random, dataDir: string) => Promise<string> | string;
  /** From now on nothing goes wrong. */
  calm: () => Promise<void> | void;
  /** Everything there is, one entry for each sandbox: two entries of a project are a double. */
  actual: (dataDir: string) => Promise<Actual[]> | Actual[];
  /** What ought to run for a project that is running. */
  expected: (project: Project) => string;
  /** What is left besides sandboxes though no project explains it: volumes for one. */
  leftovers: (projects: readonly Project[], dataDir: string) => Promise<string[]> | string[];
  /** Flavors and addons whose images the place can have. */
  flavorIds: readonly string[];
  addonSets: readonly (readonly string[])[];
  close: () => Promise<void> | void;
}

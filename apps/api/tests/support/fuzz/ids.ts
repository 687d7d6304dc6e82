import { z } from "zod";
import type { Operation } from "./document.ts";

/** Which things the API has right now, so that requests can be about them. */
export interface Ids {
  /** Of the collection that a path such as `/api/flavors/{id}` is in. */
  inPath: (path: string) => readonly string[];
  /** That a field such as `flavorId` can name. */
  forField: (name: string) => readonly string[];
}

const Listed = z.record(z.string(), z.unknown());
const Entry = z.looseObject({ id: z.string() });

/** Asks every list of the API what is in it. */
export async function collectIds(url: string, operations: readonly Operation[]): Promise<Ids> {
  const collections = new Set(
    operations.filter(({ path }) => path.includes("/{")).map(({ path }) => path.slice(0, path.indexOf("/{"))),
  );
  const ids = new Map<string, string[]>();
  for (const collection of collections) {
    if (!operations.some(({ method, path }) => method === "GET" && path === collection)) continue;
    const response = await fetch(url + collection);
    const lists = Listed.safeParse(await response.json()).data ?? {};
    const entries = Object.values(lists).flatMap((list) => z.array(Entry).safeParse(list).data ?? []);
    ids.set(
      collection,
      entries.map(({ id }) => id),
    );
  }
  return {
    inPath: (path) => ids.get(path.slice(0, path.indexOf("/{"))) ?? [],
    forField(name) {
      const noun = name.replace(/Ids?$/, "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      if (noun === name || noun === "") return [];
      return [...ids].flatMap(([collection, known]) => (collection.endsWith(`/${noun}s`) ? known : []));
    },
  };
}

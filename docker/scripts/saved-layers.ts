import { z } from "zod";

const Descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string(),
  size: z.number(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const Index = z.object({ manifests: z.array(Descriptor) });
const Manifest = z.object({ layers: z.array(Descriptor) });

/** Images are read from `docker save`; documents are small, and layers are not kept. */
const DOCUMENT_BYTES_MAX = 1_000_000;

/** The compressed bytes of each saved image by its digest; null where the layers are not compressed. */
export async function compressedBytes(archive: AsyncIterable<Uint8Array>): Promise<Map<string, number | null>> {
  const documents = new Map<string, string>();
  for await (const { name, content } of tarFiles(archive)) documents.set(name, content);
  const read = (name: string): unknown => JSON.parse(documents.get(name) ?? "null");
  const layersOf = (digest: string): z.infer<typeof Descriptor>[] => {
    const document = read(`blobs/${digest.replace(":", "/")}`);
    const index = Index.safeParse(document);
    if (!index.success) return Manifest.parse(document).layers;
    const images = index.data.manifests.filter(
      (entry) => entry.annotations?.["vnd.docker.reference.type"] === undefined,
    );
    // Only the platform that is here was saved whole.
    return images
      .filter((entry) => documents.has(`blobs/${entry.digest.replace(":", "/")}`))
      .flatMap((entry) => layersOf(entry.digest));
  };
  const saved = Index.parse(read("index.json")).manifests;
  return new Map(
    saved.map(({ digest }) => {
      const layers = layersOf(digest);
      const compressed = layers.every(({ mediaType = "" }) => /[+.](gzip|zstd)$/.test(mediaType));
      return [digest, compressed ? layers.reduce((sum, layer) => sum + layer.size, 0) : null];
    }),
  );
}

interface TarFile {
  name: string;
  content: string;
}

/** The small files of a tar archive whose names are short, as the engine writes them. */
async function* tarFiles(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const source = archive[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array();
  /** Gives the next bytes, or nothing when they are only to be passed over. */
  const take = async (length: number, keep: boolean): Promise<Uint8Array | undefined> => {
    const kept: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (held.length === 0) {
        const next = await source.next();
        if (next.done === true) return undefined;
        held = next.value;
      }
      const part = held.subarray(0, missing);
      if (keep) kept.push(part);
      missing -= part.length;
      held = held.subarray(part.length);
    }
    return Buffer.concat(kept);
  };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(/\0.*$/s, "");
  for (;;) {
    const header = await take(512, true);
    if (header === undefined || header[0] === 0) break;
    const size = Number.parseInt(text(header.subarray(124, 136)), 8);
    const small = size <= DOCUMENT_BYTES_MAX;
    const content = await take(size, small);
    await take((512 - (size % 512)) % 512, false);
    if (small && content !== undefined) yield { name: text(header.subarray(0, 100)), content: text(content) };
  }
  // The engine waits for its reader to take everything.
  while ((await source.next()).done !== true);
}

import { z } from "zod";

/** One line of what the engine tells while it pulls. */
export const PullMessage = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
  error: z.string().optional(),
});
export type PullMessage = z.infer<typeof PullMessage>;

/** `totalBytes` grows while layers start, as the engine tells a layer's size no sooner. */
export interface PullProgress extends Record<string, number> {
  currentBytes: number;
  totalBytes: number;
  layersDone: number;
  layersTotal: number;
}

interface Layer {
  current: number;
  total: number;
  done: boolean;
}

const ANNOUNCED = new Set(["Pulling fs layer", "Waiting"]);
const DOWNLOADED = new Set(["Download complete", "Verifying Checksum", "Pull complete", "Already exists"]);

/** Adds the layers of one pull up. No figure ever goes down. */
export function createPullProgress() {
  const layers = new Map<string, Layer>();

  return {
    /** Whether the message told anything about a layer. */
    take({ status = "", id, progressDetail }: PullMessage): boolean {
      if (id === undefined) return false;
      const isDownload = status === "Downloading";
      if (!isDownload && !ANNOUNCED.has(status) && !DOWNLOADED.has(status)) return false;
      const layer = layers.get(id) ?? { current: 0, total: 0, done: false };
      layers.set(id, layer);
      if (DOWNLOADED.has(status)) {
        layer.done = true;
        layer.current = layer.total;
      } else if (isDownload && !layer.done) {
        layer.total = Math.max(layer.total, progressDetail?.total ?? 0);
        layer.current = Math.min(layer.total, Math.max(layer.current, progressDetail?.current ?? 0));
      }
      return true;
    },

    sum(): PullProgress {
      const all = [...layers.values()];
      return {
        currentBytes: all.reduce((sum, { current }) => sum + current, 0),
        totalBytes: all.reduce((sum, { total }) => sum + total, 0),
        layersDone: all.filter(({ done }) => done).length,
        layersTotal: all.length,
      };
    },
  };
}

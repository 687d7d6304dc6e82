import { z } from "zod";
import { parseJson } from "./body.ts";
import type { Deployment } from "./schemas.ts";

const Lines = z.array(z.looseObject({ output: z.string().nullish(), type: z.string().nullish() }));

const MARK = "Deployment failed: ";
const TEXT_MAX = 1000;

/**
 * Why a deployment failed, out of its `logs`: the line that counts, in one line of at most 1,000 characters. Null when
 * the logs are absent (they need `read:sensitive`) or hold no such line.
 */
export function deploymentFailure({ logs }: Pick<Deployment, "logs">): string | null {
  const lines = Lines.safeParse(typeof logs === "string" ? parseJson(logs) : null);
  if (!lines.success) return null;
  const outputs = lines.data.map(({ output }) => output ?? "");
  const marked = outputs.findLast((output) => output.startsWith(MARK))?.slice(MARK.length);
  const reason = marked ?? outputs.findLast((output) => /unhealthy|is not functional/i.test(output));
  if (reason === undefined) return null;
  // What the engine itself said is at the end, behind the whole command.
  const engine = reason.lastIndexOf("Error response from daemon: ");
  const text = (engine === -1 ? reason : reason.slice(engine)).replace(/\s+/g, " ").trim();
  return text.slice(0, TEXT_MAX);
}

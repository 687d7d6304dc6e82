import { GatewayError } from "../gateway-error.ts";

/**
 * The offered type that an Accept header wants most; the first offered where it does not care.
 * @throws GatewayError not_acceptable
 */
export function negotiate<const Type extends string>(accept: string | null, offered: readonly [Type, ...Type[]]): Type {
  if (accept === null || accept.trim() === "") return offered[0];
  const ranges = accept.split(",").map(readRange);
  let best: Type | undefined;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) [best, bestQuality] = [type, quality];
  }
  if (best === undefined) throw new GatewayError("not_acceptable", `ask for ${offered.join(" or ")} in Accept`);
  return best;
}

type Range = { range: string; quality: number };

function readRange(text: string): Range {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = Number(parameters.find((part) => part.startsWith("q="))?.slice(2) ?? 1);
  return { range, quality: Number.isNaN(quality) ? 0 : quality };
}

/** That of the most exact range. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  for (const range of [type, `${type.split("/")[0]}/*`, "*/*"]) {
    const found = ranges.find((candidate) => candidate.range === range);
    if (found) return found.quality;
  }
  return 0;
}

import { GatewayError } from "../gateway-error.ts";

/** From the first to behind the last byte. */
export type ByteRange = { start: number; end: number };

/**
 * The one range that is asked for; undefined for the whole, which is also the answer to several ranges
 * and to what is no range of bytes.
 * @throws GatewayError range_not_satisfiable
 */
export function rangeOf(header: string | null, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < start) return undefined;
  if (start < end) return { start, end };
  throw new GatewayError("range_not_satisfiable", `the file has ${size} bytes`, {
    headers: { "content-range": `bytes */${size}` },
  });
}

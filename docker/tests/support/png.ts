import { inflateSync } from "node:zlib";

export interface Image {
  width: number;
  height: number;
  /** The colour at a place as 0xRRGGBB. */
  at: (x: number, y: number) => number;
}

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How many pixels of each colour a part of an image has. */
export function countColours(image: Image, region: Region): Map<number, number> {
  const counts = new Map<number, number>();
  for (let y = region.y; y < region.y + region.height; y++) {
    for (let x = region.x; x < region.x + region.width; x++) {
      const colour = image.at(x, y);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  return counts;
}

/** The part, from 0 to 1, of a region that has this colour, give or take what a lossy encoding does to it. */
export function shareOf(image: Image, colour: number, region: Region): number {
  let alike = 0;
  for (const [found, count] of countColours(image, region)) if (isAlike(found, colour)) alike += count;
  return alike / (region.width * region.height);
}

function isAlike(one: number, other: number): boolean {
  return [16, 8, 0].every((shift) => Math.abs(((one >> shift) & 0xff) - ((other >> shift) & 0xff)) <= TOLERANCE);
}

const TOLERANCE = 4;
const HEADER = 8;
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

/** Decodes the PNGs that browsers write: 8 bits a channel, RGB or RGBA, not interlaced. */
export function decodePng(file: Uint8Array): Image {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data: Uint8Array[] = [];
  let width = 0;
  let height = 0;
  let channels = 0;
  for (let place = HEADER; place < file.length; place += 12 + view.getUint32(place)) {
    const length = view.getUint32(place);
    const type = String.fromCharCode(...file.subarray(place + 4, place + 8));
    const body = place + 8;
    if (type === "IHDR") {
      width = view.getUint32(body);
      height = view.getUint32(body + 4);
      channels = CHANNELS[file[body + 9] ?? 0] ?? 0;
      if (channels === 0 || file[body + 8] !== 8 || file[body + 12] !== 0) throw new Error("not a PNG of this kind");
    } else if (type === "IDAT") {
      data.push(file.subarray(body, body + length));
    }
  }
  const pixels = unfilter(inflateSync(Buffer.concat(data)), { width, height, channels });
  return {
    width,
    height,
    at(x, y) {
      const place = (y * width + x) * channels;
      return ((pixels[place] ?? 0) << 16) | ((pixels[place + 1] ?? 0) << 8) | (pixels[place + 2] ?? 0);
    },
  };
}

/** Undoes the filters of the PNG specification, section 9. */
function unfilter(raw: Uint8Array, size: { width: number; height: number; channels: number }): Uint8Array {
  const { width, height, channels } = size;
  const stride = width * channels;
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let i = 0; i < stride; i++) {
      const left = i >= channels ? (out[y * stride + i - channels] ?? 0) : 0;
      const up = y > 0 ? (out[(y - 1) * stride + i] ?? 0) : 0;
      const corner = y > 0 && i >= channels ? (out[(y - 1) * stride + i - channels] ?? 0) : 0;
      const value = raw[y * (stride + 1) + 1 + i] ?? 0;
      out[y * stride + i] = value + predicted(filter, left, up, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

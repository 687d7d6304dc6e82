import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";

const blockBytes = 512;

/**
 * Compares bytes with a Subresource Integrity string, as lockfiles write it.
 * @param {Uint8Array} bytes
 * @param {string} integrity "sha512-<base64>"
 */
export function hasIntegrity(bytes, integrity) {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}` === integrity;
}

/**
 * Takes one file out of an npm tarball; npm needs no other tar feature than plain entries.
 * @param {Uint8Array} tgz
 * @param {string} path as stored, e.g. "package/bin/bun"
 * @returns {Uint8Array | undefined} undefined when the tarball has no such file
 */
export function fileFromTarball(tgz, path) {
  const tar = gunzipSync(tgz);
  for (let offset = 0; offset + blockBytes <= tar.length;) {
    const name = field(tar, offset, 100);
    if (name === "") return undefined;
    const sizeBytes = Number.parseInt(field(tar, offset + 124, 12), 8);
    const start = offset + blockBytes;
    if (name === path) return tar.subarray(start, start + sizeBytes);
    offset = start + Math.ceil(sizeBytes / blockBytes) * blockBytes;
  }
  return undefined;
}

/**
 * @param {Buffer} tar
 * @param {number} offset
 * @param {number} length
 */
function field(tar, offset, length) {
  const bytes = tar.subarray(offset, offset + length);
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? length : end).trim();
}

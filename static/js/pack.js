/**
 * Reads packs: a JSON header and bytes in one file. The server sends memory snapshots and the files
 * of a study's packages in them.
 *
 * 8 bytes `GRACEPK1`, the header's length as a little-endian uint32, 4 bytes of zero, the header,
 * and the payload up to the end.
 */

import { GraceError } from "./errors.js";

const MAGIC = "GRACEPK1";
const FIXED_BYTES = 16;

/**
 * @param {Uint8Array} bytes the whole pack
 * @param {string} kind which header is expected
 * @returns {{header: any, payload: Uint8Array}} `payload` is a view of `bytes`
 * @throws {GraceError} it is no such pack, or is cut off inside its header
 */
export function readPack(bytes, kind) {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC || bytes.length < FIXED_BYTES) {
    throw new GraceError("this is no pack");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = FIXED_BYTES + view.getUint32(MAGIC.length, true);
  if (end > bytes.length) {
    throw new GraceError("the pack is cut off");
  }
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(FIXED_BYTES, end)));
  } catch (error) {
    throw new GraceError(`the pack's header cannot be read: ${error}`);
  }
  if (header?.kind !== kind) {
    throw new GraceError(`the pack holds ${header?.kind}, not ${kind}`);
  }
  return { header, payload: bytes.subarray(end) };
}

/**
 * @param {Uint8Array} bytes a pack of files
 * @returns {Map<string, Uint8Array>} contents by path
 * @throws {GraceError} it is no such pack, or is cut off
 */
export function readFiles(bytes) {
  const { header, payload } = readPack(bytes, "files");
  /** @type {Map<string, Uint8Array>} */ const files = new Map();
  let offset = 0;
  for (const [path, length] of header.files) {
    files.set(path, payload.subarray(offset, offset + length));
    offset += length;
  }
  if (offset !== payload.length) {
    throw new GraceError(`the pack's files have ${offset} bytes, and ${payload.length} are there`);
  }
  return files;
}

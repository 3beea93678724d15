// Writes a PNG with one bit per pixel, row by row: a mask of any size without a canvas of that size.

import { crc32 } from "./crc.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const PIXELS = 500_000; // that are written at once; between them the page stays alive

/**
 * @param {number} width
 * @param {number} height
 * @param {(bits: Uint8Array) => void} next sets the bits of the next row, the first pixel in the highest bit, 1 = white
 * @returns {Promise<Blob>}
 */
export async function bitPng(width, height, next) {
  const deflate = new CompressionStream("deflate");
  const packed = new Response(deflate.readable).arrayBuffer();
  const writer = deflate.writable.getWriter();
  const stride = 1 + Math.ceil(width / 8); // each row begins with the number of its filter: 0, none
  const rows = Math.max(1, Math.floor(PIXELS / width));
  for (let top = 0; top < height; top += rows) {
    const strip = new Uint8Array(stride * Math.min(rows, height - top));
    for (let at = 0; at < strip.length; at += stride) next(strip.subarray(at + 1, at + stride));
    await writer.write(strip);
    await new Promise((done) => setTimeout(done));
  }
  await writer.close();
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 1); // bits per sample, grey; the rest is 0
  const parts = [["IHDR", new Uint8Array(header.buffer)], ["IDAT", new Uint8Array(await packed)], ["IEND", new Uint8Array()]];
  return new Blob([SIGNATURE, ...parts.flatMap(([name, content]) => chunk(name, content))], { type: "image/png" });
}

function chunk(name, content) {
  const named = new Uint8Array(4 + content.length);
  named.set(new TextEncoder().encode(name));
  named.set(content, 4);
  const [length, sum] = [new DataView(new ArrayBuffer(4)), new DataView(new ArrayBuffer(4))];
  length.setUint32(0, content.length);
  sum.setUint32(0, crc32(named));
  return [length.buffer, named, sum.buffer];
}

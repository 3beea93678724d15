// A picture of damage, read once: at each pixel of the photo the number of a piece, 0 where there is none.

import settings from "../../settings.js";
import { Runs } from "./runs.js";

const PIXELS = 400_000; // that are read at once; between them the page stays alive
const { visible: VISIBLE, bright: BRIGHT } = settings.painted;

/**
 * @typedef {object} Piece
 * @property {number} number in the layer
 * @property {string} title
 * @property {string} detail
 * @property {number[]} box x, y, width, height in pixels of the photo
 * @property {boolean} proposed it may be damage
 */

export class Layer {
  /** @type {Piece[]} */ pieces = [];
  on = new Uint8Array(256); // by number: 1 = marked
  seen = new Uint8Array(256);
  share = 0; // of the photo that has any piece

  /** @param {{width: number, height: number}} size of the photo @param {{width: number, height: number}} cells of the marks */
  constructor(size, cells) {
    this.runs = new Runs(); // numbers at the size of the photo
    this.cells = new Uint8Array(cells.width * cells.height); // at the size of the marks: the highest number in each cell
    Object.assign(this, { size, grid: cells });
  }

  /**
   * @param {ImageBitmap} picture grey; its levels are the numbers
   * @returns {Promise<Layer>}
   */
  static labels(picture, cells) { return read(picture, cells, (data, i) => data[i]); }

  /**
   * @param {ImageBitmap} picture white on black, or strokes on a transparent layer; its only piece is number 1
   * @returns {Promise<Layer>}
   */
  static async mask(picture, cells) {
    const opaque = await read(picture, cells, (data, i) => (data[i + 3] < 255 ? 1 : 0));
    if (opaque.share) return read(picture, cells, (data, i) => (data[i + 3] >= VISIBLE ? 1 : 0));
    return read(picture, cells, (data, i) => (Math.max(data[i], data[i + 1], data[i + 2]) >= BRIGHT ? 1 : 0));
  }
}

async function read(picture, cells, numberAt) {
  const { width, height } = picture;
  const layer = new Layer({ width, height }, cells);
  const rows = Math.max(1, Math.min(height, Math.floor(PIXELS / width)));
  const strip = Object.assign(document.createElement("canvas"), { width, height: rows });
  const context = strip.getContext("2d", { willReadFrequently: true });
  const columns = Uint32Array.from({ length: width }, (_, x) => Math.floor((x * cells.width) / width));
  const numbers = new Uint8Array(width);
  let covered = 0;
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(picture, 0, top, width, count, 0, 0, width, count);
    const { data } = context.getImageData(0, 0, width, count);
    for (let y = 0; y < count; y++) {
      const start = Math.floor(((top + y) * cells.height) / height) * cells.width;
      for (let x = 0; x < width; x++) {
        const number = (numbers[x] = numberAt(data, 4 * (y * width + x)));
        if (!number) continue;
        covered++;
        layer.seen[number] = 1;
        if (layer.cells[start + columns[x]] < number) layer.cells[start + columns[x]] = number;
      }
      layer.runs.append(numbers);
    }
    await pause();
  }
  layer.share = covered / (width * height);
  return layer;
}

export const pause = () => new Promise((done) => setTimeout(done));

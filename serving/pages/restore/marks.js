// What is marked on one photo: strokes of the brush, and pieces of damage that are switched on or off.
//
// It is kept in cells, at most 1600 along the longer side. The mask that is sent has the photo's own size: pieces are as
// fine as they were found there, strokes are enlarged.

import { bitPng } from "./png.js";
import { Runs } from "./runs.js";

const LONGEST = 1600;
const STEPS = 15; // of undo
const [UNTOUCHED, PAINTED, ERASED] = [0, 1, 2];
export const [NOTHING, MARKED, OFFERED] = [0, 1, 2]; // what a cell shows; offered: a piece that is not marked

export class Marks {
  /** @type {import("./layer.js").Layer[]} */ layers = [];
  marked = 0; // cells
  offered = 0;
  #past = [];

  /** @param {number} width of the photo @param {number} height */
  constructor(width, height) {
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    Object.assign(this, { photo: { width, height }, width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
    this.hand = new Uint8Array(this.width * this.height);
    this.shown = new Uint8Array(this.width * this.height);
  }

  get everywhere() { return { left: 0, top: 0, right: this.width, bottom: this.height }; }
  get share() { return this.marked / this.shown.length; }
  get canUndo() { return this.#past.length > 0; }

  remember() { // before a change that can be undone
    this.#past.push({ hand: Runs.of(this.hand), on: this.layers.map((layer) => layer.on.slice()) });
    if (this.#past.length > STEPS) this.#past.shift();
  }

  undo() {
    const before = this.#past.pop();
    if (!before) return;
    before.hand.reader()(this.hand);
    this.layers.forEach((layer, index) => layer.on.set(before.on[index] ?? new Uint8Array(256)));
    this.update(this.everywhere);
  }

  clear() {
    this.remember();
    this.hand.fill(UNTOUCHED);
    for (const layer of this.layers) layer.on.fill(0);
    this.update(this.everywhere);
  }

  /** @param {import("./layer.js").Layer} layer a picture of damage, in place of the one with the same name */
  add(layer) {
    const same = this.layers.findIndex(({ name }) => name === layer.name);
    if (same >= 0) this.layers[same] = layer;
    else this.layers.push(layer);
    this.update(this.everywhere);
  }

  /** Switch pieces on or off. A piece that is switched on is whole again, wherever it was erased. */
  toggle(choices, on) {
    this.remember();
    for (const { layer, number } of choices) {
      layer.on[number] = on ? 1 : 0;
      if (!on) continue;
      for (let i = 0; i < this.hand.length; i++) if (layer.cells[i] === number && this.hand[i] === ERASED) this.hand[i] = UNTOUCHED;
    }
    this.update(this.everywhere);
  }

  /** @returns {{layer: import("./layer.js").Layer, number: number} | null} the piece that is nearest, at most `reach` cells away */
  pieceAt({ x, y }, reach) {
    let [found, nearest] = [null, reach * reach + 0.5];
    const area = this.#around(x, y, x, y, reach);
    for (let row = area.top; row < area.bottom; row++) {
      for (let column = area.left; column < area.right; column++) {
        const distance = (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2;
        const layer = distance < nearest && this.layers.find(({ cells }) => cells[row * this.width + column]);
        if (layer) [found, nearest] = [{ layer, number: layer.cells[row * this.width + column] }, distance];
      }
    }
    return found;
  }

  /** A stroke between two points, in cells; returns the part of the photo that it changed. */
  stroke(from, to, radius, erase) {
    const area = this.#around(from.x, from.y, to.x, to.y, radius);
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = dx * dx + dy * dy;
    for (let row = area.top; row < area.bottom; row++) {
      for (let column = area.left; column < area.right; column++) {
        const [x, y] = [column + 0.5 - from.x, row + 0.5 - from.y];
        const along = length ? Math.min(1, Math.max(0, (x * dx + y * dy) / length)) : 0;
        if ((x - along * dx) ** 2 + (y - along * dy) ** 2 > radius * radius) continue;
        this.hand[row * this.width + column] = erase ? ERASED : PAINTED;
      }
    }
    this.update(area);
    return area;
  }

  update({ left, top, right, bottom }) { // of what is shown there
    for (let row = top; row < bottom; row++) {
      for (let i = row * this.width + left; i < row * this.width + right; i++) {
        const [before, now] = [this.shown[i], this.#state(i)];
        this.marked += (now === MARKED) - (before === MARKED);
        this.offered += (now === OFFERED) - (before === OFFERED);
        this.shown[i] = now;
      }
    }
  }

  /** @returns {Promise<Blob>} PNG of the photo's own size, white = damaged */
  mask() {
    const { width, height } = this.photo;
    const columns = Uint32Array.from({ length: width }, (_, x) => Math.floor((x * this.width) / width));
    const readers = this.layers.map((layer) => ({ on: layer.on.slice(), next: layer.runs.reader(), row: new Uint8Array(width) }));
    const hand = this.hand.slice(); // the marks may change while it is written
    let y = 0;
    return bitPng(width, height, (bits) => {
      const start = Math.floor((y++ * this.height) / height) * this.width;
      for (const reader of readers) reader.next(reader.row);
      for (let x = 0; x < width; x++) {
        const state = hand[start + columns[x]];
        if (state === PAINTED || (state === UNTOUCHED && readers.some(({ on, row }) => on[row[x]]))) bits[x >> 3] |= 128 >> (x & 7);
      }
    });
  }

  #state(i) {
    if (this.hand[i] === PAINTED) return MARKED;
    let any = false;
    for (const { cells, on } of this.layers) {
      if (on[cells[i]]) return this.hand[i] === ERASED ? NOTHING : MARKED;
      any ||= cells[i] > 0;
    }
    return any ? OFFERED : NOTHING;
  }

  #around(x1, y1, x2, y2, radius) {
    return {
      left: Math.max(0, Math.floor(Math.min(x1, x2) - radius)),
      top: Math.max(0, Math.floor(Math.min(y1, y2) - radius)),
      right: Math.min(this.width, Math.ceil(Math.max(x1, x2) + radius) + 1),
      bottom: Math.min(this.height, Math.ceil(Math.max(y1, y2) + radius) + 1),
    };
  }
}

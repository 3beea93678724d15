// Draws marks over the photo: what is marked, lighter what was found and is not, and the piece that is pointed at.

import { MARKED, OFFERED } from "./marks.js";

export class Canvases {
  /** @param {HTMLCanvasElement} mask @param {HTMLCanvasElement} light @param {HTMLCanvasElement} glow @param {HTMLElement} spot */
  constructor(mask, light, glow, spot) { Object.assign(this, { mask, light, glow, spot }); }

  /** @param {import("./marks.js").Marks} marks */
  show(marks) {
    this.marks = marks;
    for (const canvas of [this.mask, this.light, this.glow]) Object.assign(canvas, { width: marks.width, height: marks.height });
    this.point(null);
    this.draw(marks.everywhere);
  }

  draw({ left, top, right, bottom }) {
    if (right <= left || bottom <= top) return;
    for (const [canvas, state, name] of [[this.mask, MARKED, "--mark"], [this.light, OFFERED, "--light"]]) {
      const picture = new ImageData(right - left, bottom - top);
      const [pixels, colour] = [new Uint32Array(picture.data.buffer), pixel(name)];
      let to = 0;
      for (let row = top; row < bottom; row++) {
        for (let i = row * this.marks.width + left; i < row * this.marks.width + right; i++, to++) if (this.marks.shown[i] === state) pixels[to] = colour;
      }
      context_of(canvas).putImageData(picture, left, top);
    }
  }

  /** Let one piece stand out; null for none. */
  point(choice) {
    const { width, height, photo } = this.marks;
    const context = context_of(this.glow);
    context.clearRect(0, 0, width, height);
    this.spot.hidden = !choice;
    if (!choice) return;
    const picture = context.createImageData(width, height);
    const [pixels, colour] = [new Uint32Array(picture.data.buffer), pixel("--glow")];
    for (let i = 0; i < pixels.length; i++) if (choice.layer.cells[i] === choice.number) pixels[i] = colour;
    context.putImageData(picture, 0, 0);
    const [x, y, across, down] = choice.box;
    const share = (value, whole) => `${(100 * value) / whole}%`;
    Object.assign(this.spot.style, { left: share(x, photo.width), top: share(y, photo.height), width: share(across, photo.width), height: share(down, photo.height) });
  }
}

// They are drawn pixel by pixel, which is fastest where they lie in ordinary memory.
const context_of = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

function pixel(name) { // a colour of the page, opaque, as canvases have it in memory
  const bytes = Uint8Array.of(...getComputedStyle(document.documentElement).getPropertyValue(name).split(",").map(Number), 255);
  return new Uint32Array(bytes.buffer)[0];
}

// The hand on the photo: pointer, fingers and keyboard. It marks, erases, moves the photo and picks pieces.

const REACH = 12; // pixels of the screen: so far from a thin piece a click still means it
const STILL = 6; // pixels of the screen: a pointer that moved less was a click

export class Brush {
  erasing = false;
  selecting = false; // moves the photo and picks pieces
  size = 32; // across, pixels of the screen
  /** @type {import("./marks.js").Marks} */ marks = null;
  at = { x: 0, y: 0 }; // cells
  #pointers = new Map(); // where each finger is
  #stroke = null; // where the stroke ended so far; null outside a stroke
  #drag = null;

  /**
   * @param {HTMLElement} frame @param {HTMLCanvasElement} canvas @param {HTMLElement} ring shows the size
   * @param {import("./zoom.js").Zoom} zoom
   * @param {object} told `painted(area)`, `done()`, `picked(piece)`, `pointed(piece)`, `key(event)`: true if it was used
   */
  constructor(frame, canvas, ring, zoom, told) {
    Object.assign(this, { frame, canvas, ring, zoom, told });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener("pointerleave", () => this.selecting && told.pointed(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {import("./marks.js").Marks} marks of the photo that is shown */
  hold(marks) {
    Object.assign(this, { marks, at: { x: marks.width / 2, y: marks.height / 2 } });
    this.#stroke = this.#drag = null;
    this.#pointers.clear();
    this.show_ring();
  }

  show_ring() {
    if (!this.marks) return;
    const [box, frame] = [this.canvas.getBoundingClientRect(), this.frame.getBoundingClientRect()];
    const side = `${this.selecting ? 2 * REACH : this.size}px`;
    const [left, top] = [box.left - frame.left + this.at.x * this.#pixel(), box.top - frame.top + this.at.y * this.#pixel()];
    Object.assign(this.ring.style, { left: `${left}px`, top: `${top}px`, width: side, height: side });
  }

  #pixel() { return this.canvas.getBoundingClientRect().width / this.marks.width; } // of the screen per cell
  #radius() { return Math.max(0.75, this.size / 2 / this.#pixel()); }
  #piece(point = this.at) { return this.marks.pieceAt(point, Math.max(1, REACH / this.#pixel())); }
  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / this.#pixel(), y: (event.clientY - box.top) / this.#pixel() };
  }

  #down(event) {
    if (event.button > 1) return;
    if (event.pointerType === "mouse" || event.isPrimary) this.#pointers.clear(); // an end that was never told
    this.canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#pointers.size > 1) return this.#cancel();
    this.at = this.#point(event);
    this.show_ring();
    if (this.selecting || event.button === 1) {
      event.preventDefault();
      this.#drag = { x: event.clientX, y: event.clientY, still: true };
    } else {
      this.marks.remember();
      this.#stroke = this.at;
      this.#paint(this.at, this.at);
    }
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    const now = { x: event.clientX, y: event.clientY };
    if (before && this.#pointers.size > 1) return this.#pinch(event.pointerId, now);
    this.at = this.#point(event);
    if (this.#stroke) {
      this.#paint(this.#stroke, this.at);
      this.#stroke = this.at;
    } else if (this.#drag && before) {
      this.#drag.still &&= Math.hypot(now.x - this.#drag.x, now.y - this.#drag.y) < STILL;
      if (!this.#drag.still) {
        this.zoom.move(now.x - before.x, now.y - before.y);
        this.#pointers.set(event.pointerId, now);
      }
    } else if (this.selecting) this.told.pointed(this.#piece());
    this.show_ring();
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#stroke) this.told.done();
    if (this.#drag?.still && this.selecting && event.type === "pointerup") this.told.picked(this.#piece());
    this.#stroke = this.#drag = null;
  }

  #pinch(id, now) {
    const other = [...this.#pointers].find(([key]) => key !== id)[1];
    const before = this.#pointers.get(id);
    const middle = (point) => ({ x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
    const apart = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    this.zoom.pinch(middle(before), middle(now), apart(now) / apart(before));
    this.#pointers.set(id, now);
  }

  #cancel() { // a second finger: the first did not mean to paint
    if (this.#stroke) {
      this.marks.undo();
      this.told.painted(this.marks.everywhere);
      this.told.done();
    }
    this.#stroke = this.#drag = null;
  }

  #paint(from, to) { this.told.painted(this.marks.stroke(from, to, this.#radius(), this.erasing)); }

  #key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) this.#walk(way, event.shiftKey ? 4 : 1);
    else if (event.key === " ") this.#press();
    else if (!this.told.key(event)) return;
    event.preventDefault();
  }

  #press() {
    if (this.selecting) return this.told.picked(this.#piece());
    this.marks.remember();
    this.#paint(this.at, this.at);
    this.told.done();
  }

  #walk([dx, dy], steps) {
    const step = steps * Math.max(1, (this.selecting ? REACH : this.size / 4) / this.#pixel());
    const within = (value, most) => Math.min(most, Math.max(0, value));
    this.at = { x: within(this.at.x + dx * step, this.marks.width), y: within(this.at.y + dy * step, this.marks.height) };
    const box = this.canvas.getBoundingClientRect();
    this.zoom.reveal({ x: box.left + this.at.x * this.#pixel(), y: box.top + this.at.y * this.#pixel() });
    if (this.selecting) this.told.pointed(this.#piece());
    this.show_ring();
  }
}

// Shows a part of the photo larger: by wheel, by buttons, by two fingers, by keys. It only moves a sheet within its frame.

const MOST = 16; // times as large as the whole photo
const STEP = 1.5; // of a button or a key

export class Zoom {
  /** @param {HTMLElement} frame @param {HTMLElement} sheet in it @param {() => void} changed is told of every move */
  constructor(frame, sheet, changed) {
    Object.assign(this, { frame, sheet, changed, times: 1, x: 0, y: 0 });
    frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.move(0, 0)).observe(frame);
  }

  get whole() { return this.times === 1; }
  whole_photo() { this.#set(1, 0, 0); }
  larger() { this.#by(STEP, this.#middle()); }
  smaller() { this.#by(1 / STEP, this.#middle()); }

  /** @param {number} dx pixels of the screen @param {number} dy */
  move(dx, dy) { this.#set(this.times, this.x + dx, this.y + dy); }

  /** Move by a share of the frame: what lies further left, up, right or down comes into sight. */
  look(right, down) { this.move(-right * this.frame.clientWidth * 0.4, -down * this.frame.clientHeight * 0.4); }

  /** Two fingers that were at one place, and are now at another and further apart. */
  pinch(from, to, factor) {
    this.#by(factor, this.#within(from));
    this.move(to.x - from.x, to.y - from.y);
  }

  /** Bring a point of the window into sight. */
  reveal({ x, y }, margin = 24) {
    const box = this.frame.getBoundingClientRect();
    const into = (value, low, high) => (value < low ? low - value : value > high ? high - value : 0);
    this.move(into(x, box.left + margin, box.right - margin), into(y, box.top + margin, box.bottom - margin));
  }

  #wheel(event) {
    if (this.whole && event.deltaY >= 0) return; // nothing to shrink: the page scrolls
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
    this.#by(Math.exp(-Math.max(-200, Math.min(200, pixels)) * (event.ctrlKey ? 0.01 : 0.0025)), this.#within({ x: event.clientX, y: event.clientY }));
  }

  #by(factor, at) {
    const times = Math.min(MOST, Math.max(1, this.times * factor));
    const change = times / this.times;
    const [left, top] = [at.x - this.sheet.offsetLeft, at.y - this.sheet.offsetTop];
    this.#set(times, left - (left - this.x) * change, top - (top - this.y) * change);
  }

  #set(times, x, y) {
    this.times = times < 1.02 ? 1 : times;
    this.x = kept(x, this.sheet.offsetLeft, this.sheet.offsetWidth * this.times, this.frame.clientWidth);
    this.y = kept(y, this.sheet.offsetTop, this.sheet.offsetHeight * this.times, this.frame.clientHeight);
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.times})`;
    this.changed();
  }

  #middle() { return { x: this.frame.clientWidth / 2, y: this.frame.clientHeight / 2 }; }
  #within({ x, y }) {
    const box = this.frame.getBoundingClientRect();
    return { x: x - box.left, y: y - box.top };
  }
}

function kept(shift, start, size, room) { // a sheet larger than its frame fills it, a smaller one lies in its middle
  if (size <= room) return (room - size) / 2 - start;
  return Math.min(-start, Math.max(room - size - start, shift));
}

// The marks on a photo: painted by pointer, finger or keyboard, undone, and exported as a black and white mask.
// Below them, lighter: possible damage that is not marked.

const LONGEST = 1600; // pixels of the painted canvas; the marks of larger photos are enlarged
const STRIP = 256; // rows of a detected mask that are read at once
const [MAYBE, SURE] = [64, 128]; // levels of a detected mask: possible and certain damage
const STEPS = 15; // of undo

export class Brush {
  constructor(view, light, mask, ring, changed) {
    Object.assign(this, { view, light, mask, ring, changed, erasing: false, share: 0.05, at: null, last: null, past: [] });
    this.ink = mask.getContext("2d", { willReadFrequently: true });
    mask.addEventListener("pointerdown", (event) => this.#down(event));
    mask.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) mask.addEventListener(end, () => this.#up());
    mask.addEventListener("keydown", (event) => this.#key(event));
  }

  show(photo) {
    const scale = Math.min(1, LONGEST / Math.max(photo.width, photo.height));
    for (const canvas of [this.view, this.light, this.mask]) {
      canvas.width = Math.round(photo.width * scale);
      canvas.height = Math.round(photo.height * scale);
    }
    this.view.getContext("2d").drawImage(photo, 0, 0, this.view.width, this.view.height);
    Object.assign(this, { past: [], at: { x: this.mask.width / 2, y: this.mask.height / 2 }, edited: false, doubtful: null });
    this.#ring();
    this.changed();
  }

  propose(found) { // a picture: white = damage, which is marked; grey = possible damage, which is only shown
    const { sure, doubtful } = levels(found, this.mask.width, this.mask.height);
    this.doubtful = doubtful;
    this.#mark(sure);
    this.edited = false;
    this.changed();
  }

  mark_doubtful() {
    this.#remember();
    this.#mark(this.doubtful);
    this.#done();
  }

  doubts() { // redraws the possible damage; tells whether there is any
    const { data } = this.#pixels();
    const picture = new ImageData(this.mask.width, this.mask.height);
    const colour = marker("--light");
    let any = false;
    for (let i = 0; this.doubtful && i < this.doubtful.length; i++) {
      if (!this.doubtful[i] || data[4 * i + 3] > 127) continue;
      picture.data.set([...colour, 255], 4 * i);
      any = true;
    }
    this.light.getContext("2d").putImageData(picture, 0, 0);
    return any;
  }

  clear() {
    this.#remember();
    this.ink.clearRect(0, 0, this.mask.width, this.mask.height);
    this.#done();
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    const picture = this.#pixels();
    for (let i = 0; i < before.length; i++) picture.data[4 * i + 3] = before[i];
    this.#colour(picture);
    this.ink.putImageData(picture, 0, 0);
    this.#done();
  }

  share_of_photo() {
    const { data } = this.#pixels();
    let marked = 0;
    for (let i = 3; i < data.length; i += 4) marked += data[i] > 127;
    return marked / (data.length / 4);
  }

  async file(width, height) { // PNG of the photo's own size, white = missing
    const picture = this.#pixels();
    for (let i = 0; i < picture.data.length; i += 4) {
      picture.data.fill(picture.data[i + 3] > 127 ? 255 : 0, i, i + 3);
      picture.data[i + 3] = 255;
    }
    const small = await createImageBitmap(picture);
    const full = Object.assign(document.createElement("canvas"), { width, height });
    const context = full.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, width, height);
    return new Promise((resolve) => full.toBlob(resolve, "image/png"));
  }

  resize(share) {
    this.share = Math.min(0.25, Math.max(0.004, share));
    this.#ring();
  }

  #radius() { return Math.max(1, this.share * Math.min(this.mask.width, this.mask.height)); }
  #pixels() { return this.ink.getImageData(0, 0, this.mask.width, this.mask.height); }
  #mark(places) { // in addition to what is marked
    const picture = this.#pixels();
    for (let i = 0; i < places.length; i++) if (places[i]) picture.data[4 * i + 3] = 255;
    this.#colour(picture);
    this.ink.putImageData(picture, 0, 0);
  }
  #colour(picture) {
    const colour = marker("--mark");
    for (let i = 0; i < picture.data.length; i += 4) picture.data.set(colour, i);
  }
  #remember() {
    const { data } = this.#pixels();
    const alphas = new Uint8Array(data.length / 4);
    for (let i = 0; i < alphas.length; i++) alphas[i] = data[4 * i + 3];
    this.past.push(alphas);
    if (this.past.length > STEPS) this.past.shift();
  }
  #done() { this.edited = true; this.changed(); }

  #point(event) {
    const box = this.mask.getBoundingClientRect();
    const scale = this.mask.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }
  #down(event) {
    if (event.button > 0) return;
    this.mask.setPointerCapture(event.pointerId);
    this.#remember();
    this.at = this.last = this.#point(event);
    this.#stroke(this.at, this.at);
  }
  #move(event) {
    this.at = this.#point(event);
    this.#ring();
    if (!this.last) return;
    this.#stroke(this.last, this.at);
    this.last = this.at;
  }
  #up() {
    if (this.last) this.#done();
    this.last = null;
  }
  #stroke(from, to) {
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--mark");
    Object.assign(this.ink, { lineCap: "round", lineWidth: 2 * this.#radius(), strokeStyle: `rgb(${colour})` });
    this.ink.globalCompositeOperation = this.erasing ? "destination-out" : "source-over";
    this.ink.beginPath();
    this.ink.moveTo(from.x, from.y);
    this.ink.lineTo(to.x + 0.01, to.y);
    this.ink.stroke();
    this.ink.globalCompositeOperation = "source-over";
  }

  #key(event) {
    const step = event.shiftKey ? 4 : 1;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) this.#walk(way, step * Math.max(2, this.#radius() / 2));
    else if (event.key === " ") { this.#remember(); this.#stroke(this.at, this.at); this.#done(); }
    else if (event.key === "+" || event.key === "-") this.mask.dispatchEvent(new CustomEvent("resize-brush", { detail: event.key === "+" ? 5 : -5 }));
    else if (event.key.toLowerCase() === "e") this.mask.dispatchEvent(new CustomEvent("switch-brush"));
    else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else return;
    event.preventDefault();
  }
  #walk([dx, dy], pixels) {
    this.at = {
      x: Math.min(this.mask.width, Math.max(0, this.at.x + dx * pixels)),
      y: Math.min(this.mask.height, Math.max(0, this.at.y + dy * pixels)),
    };
    this.#ring();
  }
  #ring() {
    if (!this.at || !this.mask.width) return;
    const scale = this.mask.getBoundingClientRect().width / this.mask.width;
    const side = `${2 * this.#radius() * scale}px`;
    Object.assign(this.ring.style, { left: `${this.at.x * scale}px`, top: `${this.at.y * scale}px`, width: side, height: side });
  }
}

function marker(name) { // a colour of the page as three numbers
  return getComputedStyle(document.documentElement).getPropertyValue(name).split(",").map(Number);
}

function levels(found, width, height) { // by pixel of a smaller picture: 1 where any pixel of the detected mask has that level
  const [sure, doubtful] = [new Uint8Array(width * height), new Uint8Array(width * height)];
  const strip = Object.assign(document.createElement("canvas"), { width: found.width, height: Math.min(STRIP, found.height) });
  const context = strip.getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < found.height; top += STRIP) {
    const rows = Math.min(STRIP, found.height - top);
    context.drawImage(found, 0, top, found.width, rows, 0, 0, found.width, rows);
    const { data } = context.getImageData(0, 0, found.width, rows);
    for (let i = 0; i < data.length / 4; i++) {
      const level = data[4 * i];
      if (level < MAYBE) continue;
      const [x, y] = [i % found.width, top + Math.floor(i / found.width)];
      const place = Math.floor((y * height) / found.height) * width + Math.floor((x * width) / found.width);
      (level < SURE ? doubtful : sure)[place] = 1;
    }
  }
  return { sure, doubtful };
}

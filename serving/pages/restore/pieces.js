// The list of found pieces: each is switched on and off by itself, and shown in the picture while it has the focus.

import { element } from "../shared/dom.js";
import { pieceDetail, pieceTitle, restDetail, restTitle } from "./texts.js";

const [OTHER_USED, OTHER_PROPOSED] = [255, 254]; // numbers, in the service's labels, of pieces that are not listed
const KEYS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** Name the pieces of a layer of labels, and switch on what is damaged for certain. */
export function name_pieces(layer, answer) {
  const whole = [0, 0, layer.size.width, layer.size.height];
  answer.pieces.forEach((piece, index) => {
    layer.pieces.push({ number: index + 1, title: pieceTitle(piece), detail: pieceDetail(piece), box: piece.box, proposed: !piece.used });
  });
  for (const number of [OTHER_USED, OTHER_PROPOSED]) {
    const proposed = number === OTHER_PROPOSED;
    if (layer.seen[number]) layer.pieces.push({ number, title: restTitle(proposed), detail: restDetail(), box: whole, proposed });
  }
  for (const { number, proposed } of layer.pieces) layer.on[number] = proposed ? 0 : 1;
}

export class PieceList {
  #rows = []; // {layer, piece, input, item}

  /** @param {HTMLElement} list @param {{toggle: Function, point: Function}} told */
  constructor(list, told) {
    Object.assign(this, { list, told });
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("pointerleave", () => told.point(this.#focused()));
    list.addEventListener("focusout", () => told.point(null));
  }

  /** @param {import("./marks.js").Marks} marks whose pieces are listed anew */
  show(marks) {
    this.#rows = marks.layers.flatMap((layer) => layer.pieces.map((piece) => this.#row(layer, piece)));
    this.list.replaceChildren(...this.#rows.map(({ item }) => item));
    if (this.#rows.length) this.#rows[0].input.tabIndex = 0;
    this.update();
  }

  get count() { return this.#rows.length; }
  get on() { return this.#rows.filter(({ input }) => input.checked).length; }
  get choices() { return this.#rows.map(({ layer, piece }) => ({ layer, number: piece.number })); }

  update() {
    for (const { layer, piece, input } of this.#rows) input.checked = layer.on[piece.number] === 1;
  }

  /** Show which row belongs to a piece; null for none. */
  mark(choice) {
    for (const { layer, piece, item } of this.#rows) {
      const meant = choice?.layer === layer && choice.number === piece.number;
      item.classList.toggle("meant", meant);
      if (meant && choice.scroll) item.scrollIntoView({ block: "nearest" });
    }
  }

  #row(layer, piece) {
    const input = element("input", [], { type: "checkbox", tabindex: "-1" });
    const label = element("label", [input, element("span", [element("b", piece.title), " ", element("small", piece.detail)])], { class: "row" });
    const row = { layer, piece, input, item: element("li", label) };
    const choice = { layer, number: piece.number, box: piece.box };
    input.addEventListener("change", () => this.told.toggle([choice], input.checked));
    input.addEventListener("focus", () => { this.#stop(input); this.told.point({ ...choice, reveal: true }); });
    row.item.addEventListener("pointermove", (event) => { // not where the list scrolls under a pointer at rest
      if ((event.movementX || event.movementY) && !row.item.classList.contains("meant")) this.told.point(choice);
    });
    return row;
  }

  #focused() {
    const row = this.#rows.find(({ input }) => input === document.activeElement);
    return row ? { layer: row.layer, number: row.piece.number, box: row.piece.box } : null;
  }

  #stop(input) { // one stop of the tab key for the whole list
    for (const row of this.#rows) row.input.tabIndex = row.input === input ? 0 : -1;
  }

  #key(event) {
    const step = KEYS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const from = this.#rows.findIndex(({ input }) => input === document.activeElement);
    this.#rows[Math.min(this.#rows.length - 1, Math.max(0, from + step))]?.input.focus();
  }
}

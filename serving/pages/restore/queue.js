// The photos of a visit: which there are, which one is on the screen, and the bar that leads from one to another.

import { element } from "../shared/dom.js";
import { RESTORE, RESTORE_THIS, placeOf, stateOf } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class Queue {
  /** @type {import("./photo.js").Photo[]} */ photos = [];
  /** @type {import("./photo.js").Photo | null} */ current = null;

  /** @param {() => void} shown is told when another photo comes to the screen */
  constructor(shown) {
    this.shown = shown;
    $("previous").addEventListener("click", () => this.go(this.photos[this.#index - 1]));
    $("next").addEventListener("click", () => this.go(this.photos[this.#index + 1]));
  }

  get #index() { return this.photos.indexOf(this.current); }

  add(photo) {
    this.photos.push(photo);
    this.draw();
  }

  go(photo) {
    this.current = photo;
    this.draw();
    this.shown();
  }

  remove() { // the photo on the screen; the one after it takes its place
    const index = this.#index;
    this.photos.splice(index, 1);
    this.go(this.photos[Math.min(index, this.photos.length - 1)] ?? null);
  }

  draw() {
    const many = this.photos.length > 1;
    $("queue").hidden = !many || !this.current;
    $("restore").textContent = many ? RESTORE_THIS : RESTORE;
    $("place").textContent = this.current ? placeOf(this.#index, this.photos.length) : "";
    $("previous").disabled = this.#index <= 0;
    $("next").disabled = this.#index >= this.photos.length - 1;
    if (many) this.#thumbnails();
  }

  #thumbnails() {
    const items = [...$("photos").children];
    if (items.length !== this.photos.length || items.some((item, index) => item.photo !== this.photos[index])) {
      $("photos").replaceChildren(...this.photos.map((photo) => this.#thumbnail(photo)));
    }
    for (const { photo, firstChild } of $("photos").children) {
      firstChild.setAttribute("aria-current", String(photo === this.current));
      firstChild.lastChild.lastChild.textContent = stateOf(photo);
    }
  }

  #thumbnail(photo) {
    const words = element("span", [element("b", photo.name), element("small")]);
    const button = element("button", [element("img", [], { src: photo.url, alt: "", decoding: "async" }), words], { type: "button" });
    button.addEventListener("click", () => this.go(photo));
    return Object.assign(element("li", button), { photo });
  }
}

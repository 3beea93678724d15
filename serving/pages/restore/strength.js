// The slider under the result: how much of what the face model drew is kept. Its effect is asked of the service, so that
// the file is the one that is seen.

import { modelled, strengthNote, strengthText } from "./texts.js";

const $ = (id) => document.getElementById(id);
const REST = 400; // milliseconds until a slider that moved is taken to be at rest

export class Strength {
  /** @type {import("./photo.js").Photo | null} */ photo = null;
  #timer = 0; // 0: at rest

  /** @param {(photo: import("./photo.js").Photo) => void} chosen is told when another strength is wanted */
  constructor(chosen) {
    this.chosen = chosen;
    $("strength").addEventListener("input", () => {
      Object.assign(this.photo, { strength: $("strength").value / 100, problem: null });
      this.update();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#rest(), REST);
    });
  }

  /** @param {import("./photo.js").Photo} photo with a result */
  show(photo) {
    if (photo !== this.photo) this.#rest();
    this.photo = photo;
    this.update();
  }

  #rest() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.chosen(this.photo);
  }

  update() {
    const { outcome, strength, mixed, changed, problem } = this.photo;
    $("strength-box").hidden = !changed || !modelled(outcome);
    $("strength").value = Math.round(100 * strength);
    $("strength").setAttribute("aria-valuetext", strengthText(strength));
    $("strength-value").textContent = strengthText(strength);
    $("strength-note").textContent = problem?.message ?? strengthNote(strength, mixed);
    $("strength-note").classList.toggle("problem", Boolean(problem));
    $("compare").classList.toggle("waiting", !mixed);
    for (const id of ["save", "save-both", "at-full"]) $(id).disabled = !mixed;
  }
}

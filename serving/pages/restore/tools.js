// The tools under the photo: what the brush does and how large it is, and how large the photo is shown.

import { Brush } from "./brush.js";
import { sizeText, zoomText } from "./texts.js";
import { Zoom } from "./zoom.js";

const $ = (id) => document.getElementById(id);
const [SMALLEST, LARGEST] = [4, 240]; // across the brush, pixels of the screen

export class Tools {
  /** @param {object} told of what the brush does (`Brush`) */
  constructor(told) {
    this.told = told;
    this.zoom = new Zoom($("stage"), $("sheet"), () => this.#zoomed());
    this.brush = new Brush($("stage"), $("mask"), $("ring"), this.zoom, { ...told, key: (event) => this.#key(event) });
    const on = (id, kind, act) => $(id).addEventListener(kind, act);
    on("larger", "click", () => this.zoom.larger());
    on("smaller", "click", () => this.zoom.smaller());
    on("whole", "click", () => this.zoom.whole_photo());
    for (const button of $("look").querySelectorAll("button")) {
      button.addEventListener("click", () => this.zoom.look(Number(button.dataset.right), Number(button.dataset.down)));
    }
    on("size", "input", () => this.#size($("size").value));
    for (const choice of document.querySelectorAll("[name=brush]")) choice.addEventListener("change", () => this.#tool(choice.value));
    this.#size($("size").value);
    this.#tool(document.querySelector("[name=brush]:checked").value); // a browser may remember it
  }

  /** @param {import("./marks.js").Marks} marks of another photo, which is shown whole */
  hold(marks) {
    this.zoom.whole_photo();
    this.brush.hold(marks);
  }

  /** Bring a point of the window into sight. */
  reveal(point) { this.zoom.reveal(point); }

  #zoomed() {
    $("zoom-note").textContent = zoomText(this.zoom.times);
    $("sheet").style.setProperty("--times", this.zoom.times);
    $("smaller").disabled = $("whole").disabled = this.zoom.whole;
    $("look").hidden = this.zoom.whole;
    this.brush?.show_ring();
  }

  #key(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z") return false;
      $("undo").click();
    } else if (key === "+" || key === "=") this.zoom.larger();
    else if (key === "-") this.zoom.smaller();
    else if (key === "0") this.zoom.whole_photo();
    else if (key === "[" || key === "]") this.#size(Number($("size").value) + (key === "]" ? 5 : -5));
    else if (key === "e") this.#tool(this.brush.erasing ? "add" : "erase");
    else if (key === "s") this.#tool(this.brush.selecting ? "add" : "select");
    else return false;
    return true;
  }

  #tool(name) {
    document.querySelector(`[name=brush][value=${name}]`).checked = true;
    Object.assign(this.brush, { erasing: name === "erase", selecting: name === "select" });
    $("stage").classList.toggle("selecting", name === "select");
    this.told.pointed(null);
    this.brush.show_ring();
  }

  #size(value) {
    $("size").value = value;
    this.brush.size = Math.round(SMALLEST + ($("size").value / 100) ** 2 * (LARGEST - SMALLEST));
    $("size-note").textContent = sizeText(this.brush.size);
    $("size").setAttribute("aria-valuetext", sizeText(this.brush.size));
    this.brush.show_ring();
  }
}

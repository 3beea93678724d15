// The screen on which a photo's damage is marked, and where it is said what should be done.

import { call, picture } from "../shared/api.js";
import { Brush } from "./brush.js";
import { Canvases } from "./canvases.js";
import { Layer } from "./layer.js";
import { PieceList, name_pieces } from "./pieces.js";
import { PROBLEMS, fileTitle, formatHelp, formatTitle, foundText, offeredText, percent, piecesTitle, referencesText, sizeText, zoomText } from "./texts.js";
import { Zoom } from "./zoom.js";
import settings from "/settings.js";

const $ = (id) => document.getElementById(id);
const BASIS = "consent, ticked on the page";
const [SMALLEST, LARGEST] = [4, 240]; // across the brush, pixels of the screen

export class Work {
  /** @type {import("./photo.js").Photo | null} */ photo = null;

  constructor() {
    this.canvases = new Canvases($("mask"), $("light"), $("glow"), $("spot"));
    this.zoom = new Zoom($("stage"), $("sheet"), () => this.#zoomed());
    this.list = new PieceList($("pieces"), { toggle: (choices, on) => this.#toggle(choices, on), point: (choice) => this.#point(choice) });
    this.brush = new Brush($("stage"), $("mask"), $("ring"), this.zoom, {
      painted: (area) => this.canvases.draw(area),
      done: () => this.changed(),
      picked: (found) => found && this.#toggle([found], !found.layer.on[found.number]),
      pointed: (found) => this.#pointed(found),
      key: (event) => this.#key(event),
    });
    this.#listen();
  }

  /** @param {import("./photo.js").Photo} photo to show, as it was left */
  show(photo) {
    if (this.photo !== photo) {
      this.photo = photo;
      $("view").src = photo.url;
      this.canvases.show(photo.marks);
      $("stage").style.setProperty("--ratio", photo.width / photo.height);
      this.zoom.whole_photo();
      this.brush.hold(photo.marks);
      this.list.show(photo.marks);
      this.#options();
    }
    this.update();
  }

  update() { // what the page says about the photo
    const { busy, found, problem } = this.photo;
    for (const id of ["busy", "progress"]) $(id).textContent = busy;
    $("veil").hidden = !busy;
    $("to-result").hidden = !this.photo.outcome;
    $("found").textContent = found;
    $("work-problem").textContent = problem?.message ?? "";
    $("work-problem").hidden = !problem;
    this.changed();
  }

  changed() { // the marks are others
    const { marks, mode, busy } = this.photo;
    $("undo").disabled = !marks.canUndo;
    const off = marks.layers.flatMap((layer) => layer.pieces.filter(({ number }) => !layer.on[number]));
    $("lighter").textContent = marks.offered ? offeredText(off) : "";
    $("mark-too").hidden = !marks.offered;
    this.list.update();
    $("pieces-box").hidden = !this.list.count;
    $("pieces-title").textContent = piecesTitle(this.list.on, this.list.count);
    $("restore").disabled = Boolean(busy) || !(mode === "colorize" || marks.share > 0);
  }

  /** Ask the service what is damaged. */
  async search(photo) {
    const answer = await call("/v1/masks", [["image", photo.file]]);
    const labels = await picture(answer.labels);
    const layer = Object.assign(await Layer.labels(labels, photo.marks), { name: "found" });
    labels.close();
    name_pieces(layer, answer);
    photo.marks.add(layer);
    Object.assign(photo, { searched: true, found: foundText(answer) });
    this.#redraw(photo);
  }

  /** @returns {Error | null} why the photo cannot be restored like this */
  obstacle(photo) {
    if (photo.consent && !$("subject").value.trim()) return new Error(PROBLEMS.subject);
    return photo.marks.share === 1 && photo.mode !== "colorize" ? new Error(PROBLEMS.everything) : null;
  }

  /** @returns {Promise<[string, string | Blob][]>} the form of a request for a restoration */
  async fields(photo) {
    const given = [["image", photo.file], ["mode", photo.mode], ["picture", photo.format]];
    if (photo.marks.share > 0) given.push(["mask", await photo.marks.mask()]);
    for (const file of photo.references) given.push(["references", file]);
    if (photo.consent) given.push(["subject", $("subject").value.trim()], ["keep_basis", BASIS]);
    return given;
  }

  async #mask_file(file) { // white = damaged; it joins the strokes and the pieces
    const photo = this.photo;
    const say = (words) => { photo.problem = words ? new Error(words) : null; if (photo === this.photo) this.update(); };
    say("");
    let mask;
    try {
      mask = await createImageBitmap(file);
    } catch {
      return say(PROBLEMS.mask_file);
    }
    const { width, height } = mask;
    if (width !== photo.width || height !== photo.height) return say(PROBLEMS.mask_size(photo, mask));
    const layer = Object.assign(await Layer.mask(mask, photo.marks), { name: "file" });
    mask.close();
    if (!layer.share) return say(PROBLEMS.mask_black);
    const detail = `${percent(layer.share)} of the photo${layer.share > 0.5 ? `. ${PROBLEMS.mask_most}` : ""}`;
    layer.pieces.push({ number: 1, title: fileTitle(file.name), detail, box: [0, 0, width, height], proposed: false });
    photo.marks.remember();
    layer.on[1] = 1;
    photo.marks.add(layer);
    this.#redraw(photo);
  }

  #redraw(photo) {
    if (photo !== this.photo) return;
    this.canvases.draw(photo.marks.everywhere);
    this.list.show(photo.marks);
    this.update();
  }

  #toggle(choices, on) {
    this.photo.marks.toggle(choices, on);
    this.canvases.draw(this.photo.marks.everywhere);
    this.changed();
  }

  #point(choice) { // from the list
    this.canvases.point(choice);
    this.list.mark(choice);
    if (!choice?.reveal) return;
    const box = $("spot").getBoundingClientRect();
    this.zoom.reveal({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
  }

  #pointed(found) { // in the picture
    const piece = found?.layer.pieces.find(({ number }) => number === found.number);
    const choice = piece ? { ...found, box: piece.box } : null;
    $("mask").style.cursor = choice ? "pointer" : "";
    this.canvases.point(choice);
    this.list.mark(choice);
  }

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
    if (this.photo) this.#pointed(null);
    this.brush.show_ring();
  }

  #size(value) {
    $("size").value = value;
    this.brush.size = Math.round(SMALLEST + ($("size").value / 100) ** 2 * (LARGEST - SMALLEST));
    $("size-note").textContent = sizeText(this.brush.size);
    $("size").setAttribute("aria-valuetext", sizeText(this.brush.size));
    this.brush.show_ring();
  }

  #options() { // of the photo that is shown
    const photo = this.photo;
    document.querySelector(`[name=mode][value=${photo.mode}]`).checked = true;
    document.querySelector(`[name=format][value=${photo.format}]`).checked = true;
    $("format-box").hidden = photo.kind === "PNG" || !photo.kind;
    $("format-own").textContent = formatTitle(photo.kind);
    $("format-help").textContent = formatHelp(photo.kind);
    $("references").value = $("mask-file").value = "";
    $("reference-note").textContent = referencesText(photo.references.length, settings.max_references);
    $("consent").checked = Boolean(photo.consent);
    $("subject-field").hidden = !photo.consent;
  }

  #listen() {
    const on = (id, kind, act) => $(id).addEventListener(kind, act);
    on("undo", "click", () => { this.photo.marks.undo(); this.canvases.draw(this.photo.marks.everywhere); this.changed(); });
    on("clear", "click", () => { this.photo.marks.clear(); this.canvases.draw(this.photo.marks.everywhere); this.changed(); });
    on("mark-too", "click", () => {
      this.#toggle(this.list.choices.filter(({ layer, number }) => !layer.on[number]), true);
      $("undo").focus({ preventScroll: true });
    });
    on("pieces-all", "click", () => this.#toggle(this.list.choices, true));
    on("pieces-none", "click", () => this.#toggle(this.list.choices, false));
    on("larger", "click", () => this.zoom.larger());
    on("smaller", "click", () => this.zoom.smaller());
    on("whole", "click", () => this.zoom.whole_photo());
    for (const button of $("look").querySelectorAll("button")) button.addEventListener("click", () => this.zoom.look(Number(button.dataset.right), Number(button.dataset.down)));
    on("size", "input", () => this.#size($("size").value));
    for (const choice of document.querySelectorAll("[name=brush]")) choice.addEventListener("change", () => this.#tool(choice.value));
    for (const choice of document.querySelectorAll("[name=mode]")) choice.addEventListener("change", () => { this.photo.mode = choice.value; this.changed(); });
    for (const choice of document.querySelectorAll("[name=format]")) choice.addEventListener("change", () => { this.photo.format = choice.value; });
    on("mask-file", "change", () => $("mask-file").files[0] && this.#mask_file($("mask-file").files[0]).finally(() => { $("mask-file").value = ""; }));
    on("references", "change", () => {
      this.photo.references = [...$("references").files].slice(0, settings.max_references);
      $("reference-note").textContent = referencesText(this.photo.references.length, settings.max_references);
    });
    on("consent", "change", () => { this.photo.consent = $("consent").checked; $("subject-field").hidden = !this.photo.consent; });
    this.#size($("size").value);
    this.#tool("add");
    $("pieces-box").open = matchMedia("(min-width: 56rem)").matches; // a long list would hide what follows
  }
}

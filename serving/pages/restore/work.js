// The screen on which a photo's damage is marked, and where it is said what should be done.

import { call, picture } from "../shared/api.js";
import { Canvases } from "./canvases.js";
import { Layer } from "./layer.js";
import { PieceList, name_pieces } from "./pieces.js";
import { PROBLEMS, fileTitle, formatHelp, formatTitle, foundText, offeredText, percent, piecesTitle, referencesText } from "./texts.js";
import { Tools } from "./tools.js";
import settings from "../../settings.js";

const $ = (id) => document.getElementById(id);
const BASIS = "consent, ticked on the page";

export class Work {
  /** @type {import("./photo.js").Photo | null} */ photo = null;

  constructor() {
    this.canvases = new Canvases($("mask"), $("light"), $("glow"), $("spot"));
    this.list = new PieceList($("pieces"), { toggle: (choices, on) => this.#toggle(choices, on), point: (choice) => this.#point(choice) });
    this.tools = new Tools({
      painted: (area) => this.canvases.draw(area),
      done: () => this.changed(),
      picked: (found) => found && this.#toggle([found], !found.layer.on[found.number]),
      pointed: (found) => this.#pointed(found),
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
      this.tools.hold(photo.marks);
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
    const { marks, mode, fade, busy, searched } = this.photo;
    $("undo").disabled = !marks.canUndo;
    const off = marks.layers.flatMap((layer) => layer.pieces.filter(({ number }) => !layer.on[number]));
    $("lighter").textContent = marks.offered ? offeredText(off) : "";
    $("mark-too").hidden = !marks.offered;
    this.list.update();
    $("pieces-box").hidden = !this.list.count;
    $("pieces-title").textContent = piecesTitle(this.list.on, this.list.count, marks.layers.reduce((sum, { count }) => sum + count, 0));
    $("again").hidden = searched || Boolean(busy);
    $("restore").disabled = Boolean(busy) || !(mode === "colorize" || fade || marks.share > 0);
  }

  /** Ask the service what is damaged. */
  async search(photo) {
    const answer = await call("v1/masks", [["image", photo.file]]);
    const labels = await picture(answer.labels);
    const layer = Object.assign(await Layer.labels(labels, photo.marks), { name: "found", count: answer.piece_count });
    labels.close();
    name_pieces(layer, answer);
    photo.marks.add(layer);
    Object.assign(photo, { searched: true, found: foundText(answer) });
    this.#redraw(photo);
  }

  /** @returns {Error | null} why the photo cannot be restored like this */
  obstacle(photo) {
    if (photo.consent && !$("subject").value.trim()) return new Error(PROBLEMS.subject);
    if (!photo.marks.share && photo.mode !== "colorize" && !photo.fade) return new Error(PROBLEMS.nothing);
    return photo.marks.share === 1 && photo.mode !== "colorize" ? new Error(PROBLEMS.everything) : null;
  }

  /** @returns {Promise<[string, string | Blob][]>} the form of a request for a restoration */
  async fields(photo) {
    const given = [["image", photo.file], ["mode", photo.mode], ["picture", photo.format]];
    if (photo.fade) given.push(["fade", "true"]);
    const unmarked = photo.fade && photo.mode !== "colorize"; // an empty mask says that nothing is to be filled
    if (photo.marks.share > 0 || unmarked) given.push(["mask", await photo.marks.mask()]);
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
    const layer = Object.assign(await Layer.mask(mask, photo.marks), { name: "file", count: 1 });
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
    this.tools.reveal({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
  }

  #pointed(found) { // in the picture
    if (!this.photo) return;
    const piece = found?.layer.pieces.find(({ number }) => number === found.number);
    const choice = piece ? { ...found, box: piece.box } : null;
    $("mask").style.cursor = choice ? "pointer" : "";
    this.canvases.point(choice);
    this.list.mark(choice);
  }

  #options() { // of the photo that is shown
    const photo = this.photo;
    document.querySelector(`[name=mode][value=${photo.mode}]`).checked = true;
    document.querySelector(`[name=format][value=${photo.format}]`).checked = true;
    $("fade").checked = photo.fade;
    $("format-box").hidden = photo.kind === "PNG" || !photo.kind;
    $("format-own").textContent = formatTitle(photo.kind);
    this.#formats();
    $("references").value = $("mask-file").value = "";
    $("reference-note").textContent = referencesText(photo.references.length, settings.max_references);
    $("consent").checked = Boolean(photo.consent);
    $("subject-field").hidden = !photo.consent;
  }

  #formats() { // what the formats keep of the photo that is shown
    const { kind, fade } = this.photo;
    $("format-help").textContent = formatHelp(kind, fade);
    $("png-help").textContent = `Larger. ${formatHelp("PNG", fade)}`;
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
    for (const choice of document.querySelectorAll("[name=mode]")) choice.addEventListener("change", () => { this.photo.mode = choice.value; this.changed(); });
    on("fade", "change", () => { this.photo.fade = $("fade").checked; this.#formats(); this.changed(); });
    for (const choice of document.querySelectorAll("[name=format]")) choice.addEventListener("change", () => { this.photo.format = choice.value; });
    on("mask-file", "change", () => $("mask-file").files[0] && this.#mask_file($("mask-file").files[0]).finally(() => { $("mask-file").value = ""; }));
    on("references", "change", () => {
      this.photo.references = [...$("references").files].slice(0, settings.max_references);
      $("reference-note").textContent = referencesText(this.photo.references.length, settings.max_references);
    });
    on("consent", "change", () => { this.photo.consent = $("consent").checked; $("subject-field").hidden = !this.photo.consent; });
    $("pieces-box").open = matchMedia("(min-width: 56rem)").matches; // a long list would hide what follows
  }
}

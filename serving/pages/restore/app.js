// The steps of the page: a photo, the damage on it, the restoration, feedback.

import { ServiceError, blob, call, picture, post, token } from "../shared/api.js";
import { Brush } from "./brush.js";
import { comparison, sideBySide } from "./compare.js";
import { describe } from "./result.js";
import { foundText, title } from "./texts.js";
import settings from "/settings.js";

const $ = (id) => document.getElementById(id);
const BASIS = "consent, ticked on the page";
const now = { photo: null, file: null, name: "photo", proposed: null, outcome: null };

const brush = new Brush($("view"), $("light"), $("mask"), $("ring"), () => {
  $("undo").disabled = !brush.past.length;
  const doubts = brush.doubts();
  $("lighter").textContent = doubts ? "Lighter: may be damage. Mark it too?" : "";
  $("mark-too").hidden = !doubts;
  ready();
});
const split = comparison($("compare"), $("split"));

function busy(words) { // over the picture, and for screen readers
  for (const id of ["busy", "progress"]) $(id).textContent = words;
  $("veil").hidden = !words;
  ready();
}

function ready() {
  const colour = new FormData($("options")).get("mode") === "colorize";
  $("restore").disabled = !$("veil").hidden || !now.photo || !(colour || brush.share_of_photo() > 0);
}

function show(section) {
  for (const name of ["start", "work", "result"]) $(name).hidden = name !== section;
  scrollTo({ top: 0, behavior: "instant" });
  (section === "start" ? $("main") : $(`${section}-title`)).focus({ preventScroll: true });
}

function problem(place, error) {
  const box = $(`${place}-problem`);
  box.textContent = error?.message ?? "";
  box.hidden = !error;
  const denied = error instanceof ServiceError && [401, 403].includes(error.status);
  if (denied) { $("token-field").hidden = false; $("token").focus(); }
}

async function open(file) {
  problem("start");
  try {
    now.photo = await createImageBitmap(file);
  } catch {
    return problem("start", new Error("This file is no picture that a browser can show. Try a JPEG, PNG or WebP."));
  }
  Object.assign(now, { file, name: file.name.replace(/\.[^.]*$/, "") || "photo", outcome: null });
  show("work");
  brush.show(now.photo);
  await search();
}

async function search() {
  const photo = now.photo;
  problem("work");
  busy("Looking for damage…");
  $("found").textContent = "";
  now.proposed = null;
  try {
    const answer = await call("/v1/masks", [["image", now.file]]);
    if (photo !== now.photo) return; // another photo was chosen meanwhile
    now.proposed = answer.found ? blob(answer.mask) : null; // its grey counts as known
    if (answer.found || answer.proposed > 0) brush.propose(await picture(answer.mask));
    $("found").textContent = foundText(answer);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    problem("work", error);
  } finally {
    busy("");
  }
}

async function fields() {
  const given = [["image", now.file], ["mode", new FormData($("options")).get("mode")]];
  if (brush.share_of_photo() > 0) {
    const mask = brush.edited || !now.proposed ? await brush.file(now.photo.width, now.photo.height) : now.proposed;
    given.push(["mask", mask]);
  }
  for (const file of [...$("references").files].slice(0, settings.max_references)) given.push(["references", file]);
  const subject = $("subject").value.trim();
  if ($("consent").checked && subject) given.push(["subject", subject], ["keep_basis", BASIS]);
  return given;
}

async function restore(event) {
  event.preventDefault();
  problem("work");
  if ($("consent").checked && !$("subject").value.trim()) {
    $("subject").focus();
    return problem("work", new Error("To keep your photos we need a name or number, so that you can have them deleted."));
  }
  if (brush.share_of_photo() === 1 && new FormData($("options")).get("mode") !== "colorize") {
    return problem("work", new Error("Everything is marked as damaged. Erase the marks where the photo is still good: that is what a restoration is made from."));
  }
  if (!$("token-field").hidden) token.set($("token").value);
  busy("Restoring. This takes a few seconds…");
  try {
    now.outcome = await call("/v1/restorations", await fields());
    await present();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    problem("work", error);
  } finally {
    busy("");
  }
}

async function present() {
  const { outcome } = now;
  const alone = !outcome.picture || outcome.mode === "unchanged";
  for (const id of ["compare", "actions", "feedback"]) $(id).hidden = alone;
  $("alone").hidden = !alone;
  $("result-title").textContent = title(outcome);
  describe(outcome);
  draw(alone ? $("left-alone") : $("before"), now.photo);
  if (!alone) {
    draw($("after"), await picture(outcome.picture));
    split(50);
  }
  for (const button of document.querySelectorAll(".pair button")) button.setAttribute("aria-pressed", "false");
  $("thanks").textContent = "";
  show("result");
}

function draw(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
}

function download(content, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function sendFeedback(button) {
  const { recognised, preferred } = button.dataset;
  const given = recognised ? { recognised: recognised === "true" } : { preferred };
  try {
    await post(`/v1/restorations/${encodeURIComponent(now.outcome.request_id)}/feedback`, given);
    for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
    $("thanks").textContent = "Thank you. Answers like this decide which version serves people next.";
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    $("thanks").textContent = error.message;
  }
}

$("photo").addEventListener("change", (event) => event.target.files[0] && open(event.target.files[0]));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
  });
}
for (const button of document.querySelectorAll(".restart")) {
  button.addEventListener("click", () => {
    $("options").reset();
    $("references").dispatchEvent(new Event("change"));
    $("consent").dispatchEvent(new Event("change"));
    $("photo").value = "";
    show("start");
  });
}
$("options").addEventListener("submit", restore);
$("options").addEventListener("change", ready);
$("token").addEventListener("change", () => { token.set($("token").value); if (!now.proposed) search(); });
$("undo").addEventListener("click", () => brush.undo());
$("clear").addEventListener("click", () => brush.clear());
$("mark-too").addEventListener("click", () => { brush.mark_doubtful(); $("undo").focus({ preventScroll: true }); });
$("size").addEventListener("input", () => brush.resize(($("size").value / 100) ** 2 * 0.25 + 0.004));
$("mask").addEventListener("resize-brush", (event) => { $("size").value = Number($("size").value) + event.detail; $("size").dispatchEvent(new Event("input")); });
$("mask").addEventListener("switch-brush", () => document.querySelector("[name=brush]:not(:checked)").click());
for (const choice of document.querySelectorAll("[name=brush]")) choice.addEventListener("change", () => { brush.erasing = choice.value === "erase"; });
$("references").addEventListener("change", () => {
  const count = Math.min($("references").files.length, settings.max_references);
  $("reference-note").textContent = count ? `${count} ${count === 1 ? "photo" : "photos"} added.` : `Undamaged, any age, up to ${settings.max_references}.`;
});
$("consent").addEventListener("change", () => { $("subject-field").hidden = !$("consent").checked; });
$("adjust").addEventListener("click", () => show("work"));
$("save").addEventListener("click", () => download(blob(now.outcome.picture, now.outcome.picture_type ?? "image/png"), `${now.name}-restored.png`));
$("save-both").addEventListener("click", async () => download(await sideBySide($("before"), $("after"), `Restored with AI (Likeness, model ${now.outcome.model_version})`), `${now.name}-beside.png`));
for (const button of document.querySelectorAll(".pair button")) button.addEventListener("click", () => sendFeedback(button));
$("size").dispatchEvent(new Event("input"));
$("references").dispatchEvent(new Event("change"));

// A person reviews the flagged restorations one after the other, the most severe first.

import { ServiceError, get, picture, post, token } from "../shared/api.js";
import { element } from "../shared/dom.js";
import { percent, REGIONS } from "../restore/texts.js";

const $ = (id) => document.getElementById(id);
const AT_ONCE = 50;
const WORRIES = {
  not_recognised: "Somebody said: this is not the person.",
  unlike_reference: "An independent face comparison does not take it for the person in the other photo.",
  original_preferred: "Feedback prefers the original.",
  identity_risk: "Much of what tells people apart had to be made up.",
  unlike_plain: "The face is far from what a plain fill without any guessing would give.",
};
const COLOUR = "#ffd400"; // visible on skin, hair and paper
const now = { waiting: [], full: false, current: null, busy: false };

function show(section) {
  for (const name of ["entry", "look", "done"]) $(name).hidden = name !== section;
  if (section === "entry") $("token").focus();
  else $(`${section}-title`).focus({ preventScroll: true });
}

async function attempt(work) { // one action at a time; shows errors, and asks for a token if it is missing
  if (now.busy) return;
  now.busy = true;
  $("problem").hidden = true;
  for (const button of document.querySelectorAll("[data-same]")) button.disabled = true;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const denied = [401, 403].includes(error.status);
    if (denied) show("entry");
    if (!denied || token.get()) { $("problem").textContent = error.message; $("problem").hidden = false; }
  } finally {
    now.busy = false;
    for (const button of document.querySelectorAll("[data-same]")) button.disabled = false;
  }
}

async function load() {
  const { reviews } = await get(`v1/reviews?limit=${AT_ONCE}`);
  Object.assign(now, { waiting: reviews, full: reviews.length === AT_ONCE });
  await next();
}

async function next() {
  now.current = now.waiting.shift() ?? null;
  if (!now.current) return now.full ? load() : show("done");
  let pictures;
  try {
    ({ pictures } = await get(`v1/restorations/${now.current.request_id}/pictures`));
  } catch (error) {
    if (!gone(error)) throw error;
    return skip();
  }
  await present(now.current, pictures);
}

const gone = (error) => error instanceof ServiceError && [404, 410].includes(error.status);

function skip() {
  $("note").textContent = "The pictures of one restoration were deleted meanwhile.";
  return next();
}

async function present(waiting, pictures) {
  const restored = pictures["restored.png"];
  const mask = pictures["mask.png"] && outline(await picture(pictures["mask.png"]));
  await draw("damaged", pictures["damaged.png"], mask);
  if (restored) await draw("restored", restored, mask);
  $("restored-side").hidden = !restored;
  $("sides").classList.toggle("one", !restored);
  $("sides").classList.remove("large");
  const references = Object.keys(pictures).filter((name) => name.startsWith("reference-"));
  $("others").hidden = !references.length;
  $("references").replaceChildren(...(await Promise.all(references.map((name, index) => reference(pictures[name], index + 1)))));
  $("worries").replaceChildren(...waiting.worries.map((worry) => element("li", WORRIES[worry] ?? worry)));
  $("details").replaceChildren(...figures(waiting).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  $("left").textContent = now.waiting.length ? `${now.waiting.length}${now.full ? " or more" : ""} after this one` : now.full ? "" : "the last one";
  $("verdict").reset();
  show("look");
  scrollTo({ top: 0, behavior: "instant" });
}

async function draw(id, base64, mask) {
  const image = await picture(base64);
  paint($(id), image);
  const over = $(id).nextElementSibling;
  if (mask) paint(over, mask);
  else over.width = 0;
}

function paint(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
}

async function reference(base64, number) {
  const canvas = element("canvas", [], { role: "img", "aria-label": `Photo ${number} of the same person` });
  paint(canvas, await picture(base64));
  return canvas;
}

function outline(mask) { // the mask moved eight ways, less the mask itself: a line around what was missing
  const [{ width, height }, thick] = [mask, Math.max(1, Math.round(mask.width / 300))];
  const [shape, line] = [new OffscreenCanvas(width, height), new OffscreenCanvas(width, height)].map((canvas) => canvas.getContext("2d"));
  shape.drawImage(mask, 0, 0);
  const pixels = shape.getImageData(0, 0, width, height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data[at + 3] = pixels.data[at];
  shape.putImageData(pixels, 0, 0);
  for (const x of [-thick, 0, thick]) for (const y of [-thick, 0, thick]) line.drawImage(shape.canvas, x, y);
  line.globalCompositeOperation = "destination-out";
  line.drawImage(shape.canvas, 0, 0);
  line.globalCompositeOperation = "source-in";
  line.fillStyle = COLOUR;
  line.fillRect(0, 0, width, height);
  return line.canvas;
}

function figures(waiting) {
  const all = [
    ["Identity risk", waiting.identity_risk, (value) => value.toFixed(2)],
    ["Damaged, of the face", waiting.coverage, percent],
    ["Eyes, nose, mouth missing", waiting.missing_features, percent],
    ["Of these, made up", waiting.uncertainty, percent],
    ["Like the plain fill", waiting.similarity_plain, (value) => value.toFixed(2)],
    ["Like the other photo", waiting.similarity_reference, (value) => value.toFixed(2)],
  ];
  const known = all.filter(([, value]) => value != null).map(([name, value, words]) => [name, words(value)]);
  return [...known, ["Restored", new Date(waiting.time).toLocaleString()], ["Request id", waiting.request_id]];
}

async function judge(same) {
  const invented = [...new FormData($("verdict")).getAll("invented")];
  try {
    await post(`v1/restorations/${now.current.request_id}/review`, { same_person: same, invented });
    $("note").textContent = "";
  } catch (error) {
    if (!gone(error)) throw error;
    return skip();
  }
  await next();
}

$("invented").replaceChildren(...Object.entries(REGIONS).map(([name, words]) => element("label", [element("input", [], { type: "checkbox", name: "invented", value: name }), element("span", words)])));
$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set($("token").value);
  attempt(load);
});
for (const button of document.querySelectorAll("[data-same]")) button.addEventListener("click", () => attempt(() => judge(JSON.parse(button.dataset.same))));
for (const side of document.querySelectorAll(".sides .stack")) side.addEventListener("click", () => $("sides").classList.toggle("large"));
$("outline").addEventListener("change", () => $("sides").classList.toggle("plain-view", !$("outline").checked));
$("again").addEventListener("click", () => attempt(load));
document.addEventListener("keydown", (event) => {
  const button = document.querySelectorAll("[data-same]")[Number(event.key) - 1];
  if (button && !$("look").hidden && !event.ctrlKey && !event.metaKey && !event.altKey) button.click();
});
attempt(load);

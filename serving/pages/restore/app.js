// The steps of the page: photos, the damage on each, its restoration, the result.

import { token } from "../shared/api.js";
import { All } from "./all.js";
import { OutcomeView } from "./outcome.js";
import { Photo } from "./photo.js";
import { Queue } from "./queue.js";
import { Requests } from "./requests.js";
import { PROBLEMS, finishedText } from "./texts.js";
import { Work } from "./work.js";

const $ = (id) => document.getElementById(id);
const work = new Work();
const queue = new Queue(() => present());
const requests = new Requests(work, {
  urgent: (photo) => photo === queue.current,
  changed: (photo) => refresh(photo),
  moved: (photo) => finished(photo),
  barred: () => { $("token-field").hidden = false; $("token").focus(); },
});
const result = new OutcomeView((photo) => requests.mix(photo));
const all = new All(queue, requests);

function present({ focus = false } = {}) { // the photo that is on the screen, or the page that asks for one
  const photo = queue.current;
  const section = photo ? photo.screen : "start";
  const other = $(section).hidden;
  for (const name of ["start", "work", "result"]) $(name).hidden = name !== section;
  if (section === "work") work.show(photo);
  if (section === "result") result.show(photo);
  if (other || focus) scrollTo({ top: 0, behavior: "instant" });
  if (focus) (photo ? $(`${section}-title`) : $("main")).focus({ preventScroll: true });
}

function refresh(photo) { // something about a photo is different
  queue.draw();
  all.update();
  if (photo === queue.current) present();
}

async function add(files) {
  const bad = [];
  $("start-problem").hidden = $("queue-problem").hidden = true;
  let first = true;
  for (const file of files) {
    let photo;
    try {
      photo = await Photo.open(file);
    } catch {
      bad.push(file.name);
      continue;
    }
    queue.add(photo);
    requests.search(photo);
    if (first) { queue.go(photo); present({ focus: true }); }
    first = false;
  }
  if (!bad.length) return;
  const place = $(queue.current ? "queue-problem" : "start-problem");
  Object.assign(place, { textContent: PROBLEMS.files(bad, files.length), hidden: false });
}

function restore(event) {
  event.preventDefault();
  const photo = queue.current;
  photo.problem = work.obstacle(photo);
  if (photo.problem) {
    if (photo.consent && !$("subject").value.trim()) $("subject").focus();
    return refresh(photo);
  }
  if (!$("token-field").hidden) token.set($("token").value);
  requests.restore(photo);
}

function finished(photo) { // it has a result
  if (photo === queue.current) present({ focus: !all.running });
  if (!all.running) $("queue-note").textContent = queue.photos.includes(photo) && photo !== queue.current ? finishedText(photo) : "";
}

$("photo").addEventListener("change", () => {
  const files = [...$("photo").files];
  $("photo").value = "";
  add(files);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) add([...event.dataTransfer.files]);
  });
}
for (const button of document.querySelectorAll(".restart")) button.addEventListener("click", () => $("photo").click());
for (const button of document.querySelectorAll(".remove")) {
  button.addEventListener("click", () => {
    const photo = queue.current;
    requests.drop(photo);
    queue.remove();
    photo.close();
    all.update();
    present({ focus: true });
  });
}
$("again").addEventListener("click", () => { requests.search(queue.current); $("work-title").focus(); });
$("options").addEventListener("submit", restore);
$("adjust").addEventListener("click", () => { queue.current.screen = "work"; refresh(queue.current); present({ focus: true }); });
$("to-result").addEventListener("click", () => { queue.current.screen = "result"; refresh(queue.current); present({ focus: true }); });
$("token").addEventListener("change", () => {
  token.set($("token").value);
  for (const photo of queue.photos) if (!photo.searched && !photo.busy) requests.search(photo);
});

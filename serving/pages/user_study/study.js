// A study's questions, one after the other, and the rater's answers.

import settings from "../settings.js";
import { ServiceError, get, post } from "../shared/api.js";

const TAP = 0.05;          // radius of a mark that was tapped, and of the smallest one: share of the picture's side
const SECONDS = 9;         // of a question, for the estimate on the first page

const $ = (id) => document.getElementById(id);
const sections = ["welcome", "same", "invented", "feedback", "rest", "thanks", "trouble"];
let current = null;        // the question on the screen
let shownAt = 0;
let marks = [];
let drawing = null;
let busy = false;
let rested = -1;           // the number of the question before which the rater rested

function show(name) {
  for (const section of sections) $(section).hidden = section !== name;
  current = name === "same" || name === "invented" ? current : null;
}

function progress(state) {
  const share = state.total ? state.done / state.total : 0;
  $("bar").hidden = !state.joined;
  $("bar").setAttribute("aria-valuenow", share.toFixed(3));
  $("bar").firstElementChild.style.width = `${100 * share}%`;
  const trial = state.asked;
  $("count").textContent = !state.joined || !trial ? "" : trial.practice ? "Practice" : `${trial.number} of ${state.total}`;
}

async function proceed(state) {
  progress(state);
  if (!state.joined) return welcome(state);
  if (!state.asked) return show("thanks");
  if (state.asked.rest && rested !== state.asked.number) {
    rested = state.asked.number;
    $("resume").onclick = () => attempt(() => proceed(state));
    return show("rest");
  }
  await showTrial(state.asked);
}

function welcome(state) {
  $("total").textContent = state.total;
  $("minutes").textContent = Math.max(1, Math.round(state.total * SECONDS / 60));
  $("start").onclick = () => attempt(async () => proceed(await post("api/join", {})));
  show("welcome");
}

async function load(image, name) {
  image.src = `pictures/${name}`;
  await image.decode();
}

async function showTrial(trial) {
  const { reference, left, right, shown } = trial.pictures;
  if (trial.question === "same") {
    await Promise.all([load($("reference"), reference), load(half("left"), left), load(half("right"), right)]);
    for (const side of ["left", "right"]) $(side).blur();
  } else {
    marks = [];
    draw();
    await load($("shown"), shown);
  }
  current = trial;
  $(trial.question).classList.toggle("practising", trial.practice);
  show(trial.question);
  shownAt = performance.now();
}

const half = (side) => $(side).querySelector("img");

function answer(said) {
  if (!current || busy) return;
  const trial = current;
  const body = { item: trial.item, milliseconds: Math.round(performance.now() - shownAt), ...said };
  attempt(async () => {
    const reply = await post("api/answers", body);
    if (reply.feedback) showFeedback(trial, reply);
    else await proceed(reply.state);
  });
}

function showFeedback(trial, { feedback, state }) {
  const [heading, text] = [$("feedback").querySelector("h1"), $("feedback").querySelector("p")];
  $("solution").hidden = trial.question === "same";
  heading.textContent = feedback.right ? "Right." : "Not quite.";
  if (trial.question === "same") {
    text.textContent = `The ${feedback.side} picture shows the same person, the other one somebody else. Often it is less plain: then take the one that is closer.`;
  } else {
    $("solution").querySelector("img").src = $("shown").src;
    for (const circle of $("solution").querySelectorAll("circle")) {
      for (const [name, key] of [["cx", "x"], ["cy", "y"], ["r", "radius"]]) circle.setAttribute(name, feedback.place[key]);
    }
    text.textContent = "There is an eye on the cheek. Often it is less plain: a wrong tooth, a crooked eye, a smear. Sometimes there is nothing at all.";
  }
  $("next").onclick = () => attempt(() => proceed(state));
  show("feedback");
  $("next").focus();
}

async function attempt(work) {
  if (busy) return;
  busy = true;
  document.body.classList.add("busy");
  try {
    await work();
  } catch (error) {
    $("trouble").querySelector("p").textContent = error instanceof ServiceError && error.status === 0 ? "The connection is lost. Your answers so far are kept." : error.message;
    $("again").onclick = () => attempt(begin);
    show("trouble");
  } finally {
    busy = false;
    document.body.classList.remove("busy");
  }
}

// Marks

function place(event) {
  const box = $("marks").getBoundingClientRect();
  const inside = (share) => Math.min(1, Math.max(0, share));
  return { x: inside((event.clientX - box.left) / box.width), y: inside((event.clientY - box.top) / box.height) };
}

function draw() {
  const circles = drawing ? [...marks, drawing] : marks;
  $("marks").replaceChildren(...circles.flatMap((mark) => ["under", "over"].map((layer) => {
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    circle.setAttribute("class", layer);
    for (const [name, value] of [["cx", mark.x], ["cy", mark.y], ["r", mark.radius]]) circle.setAttribute(name, value);
    return circle;
  })));
  $("undo").disabled = $("done").disabled = marks.length === 0;
  $("nothing").disabled = marks.length > 0;
}

$("marks").addEventListener("pointerdown", (event) => {
  if (busy || !event.isPrimary || marks.length >= settings.max_marks) return;
  $("marks").setPointerCapture(event.pointerId);
  drawing = { ...place(event), radius: TAP };
  draw();
});
$("marks").addEventListener("pointermove", (event) => {
  if (!drawing) return;
  const now = place(event);
  drawing.radius = Math.min(settings.max_mark_radius, Math.max(TAP, Math.hypot(now.x - drawing.x, now.y - drawing.y)));
  draw();
});
$("marks").addEventListener("pointerup", () => {
  if (drawing) marks.push(drawing);
  drawing = null;
  draw();
});
$("marks").addEventListener("pointercancel", () => { drawing = null; draw(); });

$("undo").onclick = () => { marks.pop(); draw(); };
$("nothing").onclick = () => answer({ marks: [] });
$("done").onclick = () => answer({ marks });
$("left").onclick = () => answer({ choice: "left" });
$("right").onclick = () => answer({ choice: "right" });

document.addEventListener("keydown", (event) => {
  if (event.repeat || !current || event.ctrlKey || event.metaKey || event.altKey) return;
  if (current.question === "same" && event.key === "ArrowLeft") answer({ choice: "left" });
  else if (current.question === "same" && event.key === "ArrowRight") answer({ choice: "right" });
  else if (current.question === "invented" && (event.key === "Backspace" || event.key.toLowerCase() === "u")) $("undo").click();
  else if (current.question === "invented" && event.key.toLowerCase() === "n") $("nothing").click();
  else return;
  event.preventDefault();
});

async function begin() {
  await proceed(await get("api/state"));
}

attempt(begin);

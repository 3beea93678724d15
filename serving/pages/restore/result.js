// Builds the panel that explains the result. Text is inserted as text, never as markup.

import { NOT_REDRAWN, advice, back, comparisons, declined, grounds, legend, percent, restNote, risk, trusts, verdict, why } from "./texts.js";
import { element } from "../shared/dom.js";

const $ = (id) => document.getElementById(id);

/** @param {object} outcome the service's answer @param {boolean} faded whether it was asked to lift fading */
export function describe(outcome, faded) {
  $("verdict").textContent = verdict(outcome);
  $("why").textContent = why(outcome, faded);
  $("why").hidden = !why(outcome, faded);
  const tries = advice(outcome, faded);
  $("advice").hidden = !tries;
  $("advice").replaceChildren(...(tries ? [element("b", "What you can try"), element("ul", tries.map((line) => element("li", line))), again(back(outcome))] : []));
  const faces = outcome.faces.filter((face) => face.mode !== "refuse" || declined(outcome));
  $("faces").replaceChildren(...faces.map((face, index) => portrait(face, faces.length > 1 ? index + 1 : 0, outcome.strength)));
  $("details").replaceChildren(...facts(outcome, faded).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function again(words) {
  const button = element("button", words, { type: "button", class: "button" });
  button.addEventListener("click", () => $("adjust").click());
  return button;
}

function portrait(face, number, strength) {
  const regions = trusts(face);
  const parts = number ? [element("h2", `Face ${number}`)] : [];
  if (regions.length && strength === 0) return element("div", [...parts, element("p", NOT_REDRAWN)], { class: "face" });
  if (regions.length) {
    parts.push(element("h3", "What the restored parts rest on"), bars(regions), key(regions));
    if (strength < 1) parts.push(element("p", restNote(strength), { class: "quiet" }));
  }
  if (face.mode !== "refuse") parts.push(...confidence(face));
  return element("div", parts, { class: "face" });
}

function bars(regions) {
  return element("dl", regions.flatMap(({ name, rests }) => [element("dt", name), element("dd", bar(rests))]), { class: "trust" });
}

function bar(rests) {
  const made = element("div", [], { class: "bar", role: "img", "aria-label": grounds(rests), title: grounds(rests) });
  for (const kind of ["known", "evidence", "witness", "prior"]) {
    const piece = element("i", [], { class: kind });
    piece.style.flexGrow = rests[kind];
    if (rests[kind] >= 0.005) made.append(piece);
  }
  return made;
}

function key(regions) {
  return element("ul", legend(regions).map(([kind, words]) => element("li", [element("i", [], { class: kind }), words])), { class: "legend", "aria-hidden": "true" });
}

function confidence(face) {
  const { other, rows } = comparisons(face);
  const [word, meaning] = risk(face.identity_risk);
  const parts = [element("h3", "Identity confidence"), element("p", [element("b", word), " ", meaning])];
  if (!rows.length) return parts;
  const note = `How alike the restored face is to ${other}; 1.00 would be no difference.`;
  const compared = element("details", [element("summary", "Two face comparisons"), element("dl", rows.map(meter), { class: "sure" }), element("p", note, { class: "quiet" })]);
  compared.open = Boolean(face.likeness_to_reference); // with a plain fill they say little of the person
  return [...parts, compared];
}

function meter({ name, cosine }) {
  const value = Math.min(1, Math.max(0, cosine));
  const full = element("i", [], { class: "known" });
  full.style.width = `${100 * value}%`;
  const attributes = { class: "bar", role: "meter", "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": value.toFixed(2), "aria-label": name };
  return element("div", [element("dt", name), element("dd", cosine.toFixed(2)), element("dd", element("div", full, attributes))]);
}

function facts(outcome, faded) {
  const share = (value) => (value == null ? "no face touched" : percent(value));
  return [
    ["Reasons", outcome.reasons.join("; ") || outcome.reason],
    ["Damaged, of the photo", percent(outcome.area)],
    ...(outcome.mask.proposed > 0 ? [["May be damaged besides", percent(outcome.mask.proposed)]] : []),
    ["Damaged, of the face", share(outcome.coverage)],
    ["Eyes, nose, mouth missing", share(outcome.missing_features)],
    ...(outcome.uncertainty == null ? [] : [["Of these, made up", percent(outcome.uncertainty)]]),
    ...outcome.references.map((note, index) => [`Your photo ${index + 1}`, note]),
    ...(faded ? [["Fading lifted", outcome.veil == null ? "no" : percent(outcome.veil)]] : []),
    ...(outcome.strength < 1 ? [["Face redrawn", percent(outcome.strength)]] : []),
    ...(outcome.mode === "fade" ? [] : [["Model", outcome.model_version]]), // none was used
    ["Time", `${(Object.values(outcome.timings).reduce((sum, value) => sum + value, 0) / 1000).toFixed(1)} s`],
    ["Kept", outcome.kept ? "yes, as you asked" : "no"],
    ["Number of this request", outcome.request_id],
  ];
}

// What the figures mean, in plain words. Limits come from the service.

import settings from "../../settings.js";

const TITLES = {
  inpaint: "Restored",
  partial: "Restored in part",
  colorize: "Colour is back",
  refuse: "We would rather not guess",
  unchanged: "Nothing had to be restored",
  fade: "The fading is lifted",
};

const VERDICTS = {
  inpaint: "The damaged parts were filled in. Everything else is exactly as it was.",
  partial: "So much is missing that only the parts that matter least for who this is were filled in. The rest was left alone.",
  colorize: "Shapes and shades are yours; colour was added where it was gone.",
  refuse: "So little of this face is left that a restoration would be somebody we made up. Your photo is unchanged.",
  unchanged: "We found no damage that we are sure of. Your photo comes back exactly as it was; mark what is damaged and try again.",
  fade: "Contrast is back over the whole photo, and a cast of a colour photo is gone. Nothing was filled in, and nothing was drawn.",
};
const UNMARKED = "Nothing was marked, and we found no fading to lift. Your photo comes back exactly as it was.";
const LIFTED = "The fading was lifted from the whole photo.";


export const REGIONS = {
  left_eye: "Left eye", right_eye: "Right eye", left_brow: "Left brow", right_brow: "Right brow",
  nose: "Nose", mouth: "Mouth", skin: "Skin", background: "Background",
};
const GROUNDS = { known: "not damaged", evidence: "follows from the rest of the face", witness: "shown by your other photo", prior: "made up" };
const ENCODERS = { sface: "First face comparison", dlib: "Second, independent comparison" };

export const percent = (share) => (share > 0 && share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`);

// There is damage, and nothing was filled: too little of the faces is left, or no face was detected.
export const declined = (outcome) => outcome.mode === "refuse" || (outcome.mode === "unchanged" && outcome.faces.length > 0);

export const title = (outcome) => TITLES[declined(outcome) ? "refuse" : outcome.mode];

export function verdict(outcome) {
  if (declined(outcome) && outcome.faces.length) return VERDICTS.refuse;
  if (outcome.mode === "unchanged" && !declined(outcome) && !outcome.mask.found) return UNMARKED; // by an empty mask
  if (outcome.veil != null && outcome.mode === "inpaint") return `The damaged parts were filled in. ${LIFTED}`;
  if (outcome.veil != null && outcome.mode !== "fade") return `${VERDICTS[outcome.mode]} ${LIFTED}`;
  if (outcome.mode === "inpaint" && outcome.picture_type === "image/jpeg") return "The damaged parts were filled in. Everything else was left alone.";
  if (declined(outcome)) return "There was nothing here that we could restore with a good conscience. Your photo is unchanged.";
  return VERDICTS[outcome.mode];
}

export function why(outcome, faded) { // the service's reason, where people will ask; `faded`: it was asked to lift fading
  if (!declined(outcome) && outcome.mode !== "partial") return faded && outcome.veil == null && outcome.mode !== "unchanged" ? "We found no fading to lift." : "";
  return `Why: ${(outcome.reasons.length ? outcome.reasons : [outcome.reason]).join("; ")}.`;
}

export function advice(outcome, faded) {
  if (outcome.mode === "partial") return outcome.references.length ? null : ["Add an undamaged photo of the same person: it can show what was left alone."];
  if (outcome.mode === "unchanged" && !declined(outcome)) return ["Mark with the brush what is damaged: what you mark is restored.", ...(outcome.mask.proposed > 0 ? ["Some places may be damage: they are shown lighter there, and “Mark these too” takes them."] : [])];
  if (!declined(outcome)) return null;
  const bare = faded ? ["Clear the marks to have the fading lifted alone."] : [];
  if (!outcome.faces.length) return [...bare, "Check that the marks cover what is damaged on the face, and only that.", "Add another photo of the same person.", "A photo in which the face is larger and looks towards the camera works best."];
  return [...bare, "Add another photo of the same person: it can show what is gone.", "Check the marks: erase what is not really damaged.", "“Only the safest parts” may still help."];
}

export const back = (outcome) => (outcome.mode === "unchanged" && !declined(outcome) ? "Mark what is damaged" : "Add a photo, or change the marks");

export function trusts(face) { // regions that were damaged, least sure first
  return Object.entries(face.trust)
    .filter(([name, rests]) => name !== "background" && rests.known < 0.995)
    .sort(([, a], [, b]) => b.prior - a.prior)
    .map(([name, rests]) => ({ name: REGIONS[name] ?? name, rests }));
}

export function grounds(rests) { // text of the bar for screen readers
  return Object.keys(GROUNDS).filter((kind) => rests[kind] >= 0.005).map((kind) => `${percent(rests[kind])} ${GROUNDS[kind]}`).join(", ");
}

export const legend = (regions) => Object.entries(GROUNDS).filter(([kind]) => regions.some(({ rests }) => rests[kind] >= 0.005));

export function risk(value) {
  if (value < settings.identity_risk.fair) return ["High.", "Little of what tells people apart had to be made up."];
  if (value < settings.identity_risk.low) return ["Fair.", "Some of what tells people apart had to be made up."];
  return ["Low.", "Much of what tells people apart had to be made up."];
}

export function comparisons(face) { // cosines with the reference where there is one, else with a plain fill
  const [likeness, other] = face.likeness_to_reference ? [face.likeness_to_reference, "your other photo"] : [face.likeness_to_plain, "a plain fill without any guessing"];
  const rows = Object.entries(likeness ?? {}).map(([name, cosine]) => ({ name: ENCODERS[name] ?? name, cosine }));
  return { other, rows };
}

export function foundText(answer) {
  if (!answer.found) return `${answer.proposed > 0 ? "Nothing here is damaged for certain." : "We found no damage."} Paint over what should be restored.`;
  const sure = answer.confidence == null ? "" : answer.confidence >= settings.certain_damage ? " We are quite sure of it." : " We are fairly sure of it.";
  return `This looks damaged: ${percent(answer.area)} of the photo, marked in red.${sure} Erase what is no damage, and paint over what was missed.`;
}

// Pieces of damage.

const KINDS = {
  crack: "Crack", fold: "Fold", scratch: "Scratch", dust: "Dust", hair: "Hair or thread", spot: "Spot", stain: "Stain",
  silvering: "Silvering", ink: "Ink", tape: "Tape", tear: "Tear", corner: "Missing corner", hole: "Hole", scrape: "Scraped place",
};

const surely = (confidence) => `${Math.min(99, Math.round(100 * confidence))} % sure`;

export const pieceTitle = ({ kind }) => KINDS[kind] ?? kind;

export function pieceDetail({ confidence, area, used, why }) {
  const size = area < 0.01 ? "" : `, ${percent(area)} of the photo`;
  return `${surely(confidence)}${size}${used || !why ? "" : `; not marked: ${why}`}`;
}

export const restTitle = (proposed) => (proposed ? "All smaller pieces that may be damage" : "All smaller pieces of damage");
export const restDetail = () => "too many to list one by one";
export const fileTitle = (name) => `Your mask file ${name}`;

export function piecesTitle(on, rows, count) { // a row may stand for many pieces
  const some = rows === count ? `${on} marked` : "some marked";
  return `${count} ${count === 1 ? "piece" : "pieces"}, ${on === rows ? "all marked" : on ? some : "none marked"}`;
}

export function offeredText(off) { // what is shown lighter
  return off.every(({ proposed }) => proposed) ? "Lighter: may be damage, or part of the picture. Mark it only if it is damage." : "Lighter: found, but not marked. Mark it too?";
}

// Photos, files and tools.

export const WAITING = "Waiting for its turn…";
export const SEARCHING = "Looking for damage…";
export const RESTORING = "Restoring. This takes a few seconds…";
export const MIXING = "Mixing…";
const STATES = { [WAITING]: "Waiting", [SEARCHING]: "Being searched", [RESTORING]: "Being restored", [MIXING]: "Being mixed" };
export const THANKS = "Thank you. Answers like this decide which version serves people next.";

export const PROBLEMS = {
  subject: "To keep your photos we need a name or number, so that you can have them deleted.",
  nothing: "Nothing is marked on this photo. Paint over what should be restored.",
  everything: "Everything is marked as damaged. Erase the marks where the photo is still good: that is what a restoration is made from.",
  mask_file: "This mask file is no picture that a browser can show. Save the mask as PNG and choose it again.",
  mask_size: (photo, mask) => `The mask has to be as large as the photo, ${photo.width} × ${photo.height} pixels; this one has ${mask.width} × ${mask.height}. Save it in the photo's size and choose it again.`,
  mask_black: "Nothing in this mask is white. Paint white where the photo is damaged, leave the rest black, and choose it again.",
  mask_most: "That is most of it: if the damage is the rest, invert the mask",
  files(names, count) {
    if (count === 1) return "This file is no picture that a browser can show. Try a JPEG, PNG or WebP.";
    return `These files are no pictures that a browser can show: ${names.join(", ")}. Try JPEG, PNG or WebP.`;
  },
};

export function stateOf({ busy, problem, outcome, screen, searched }) { // of a photo in the queue
  if (busy) return STATES[busy];
  if (problem) return "Needs you";
  if (outcome && screen === "result") return title(outcome);
  return searched ? "Ready to mark" : "Not searched";
}

export const [RESTORE, RESTORE_THIS, RESTORE_ALL, STOP] = ["Restore", "Restore this photo", "Restore all", "Stop after this one"];
export const FILE_OF_ALL = "restored-photos.zip";

const many = (count) => `${count} ${count === 1 ? "photo" : "photos"}`;

export function allText(done, count, over = false) { // of photos that are restored together
  if (!over) return `Restoring all: ${done} of ${many(count)} done…`;
  if (!count) return "";
  return done === count ? (count === 1 ? "The photo is restored." : `All ${count} photos are restored.`) : `${done} of ${many(count)} restored.`;
}

export function leftText(left) { // photos that were not restored, with the reason; a line for each
  const why = ({ problem, outcome, screen }) => problem?.message ?? (outcome && screen === "result" ? `${title(outcome)}.` : "Not begun.");
  return left.map((photo) => `“${photo.name}” is not restored. ${why(photo)}`).join("\n");
}

export const placeOf = (index, count) => `Photo ${index + 1} of ${count}`;
export const finishedText = ({ name }) => `“${name}” is finished.`;
export const referencesText = (count, most) => (count ? `${count} ${count === 1 ? "photo" : "photos"} added.` : `Undamaged, any age, up to ${most}.`);
export const sizeText = (pixels) => `${pixels} px`;
export const zoomText = (times) => `${times.toFixed(1)}×`;

// How much of what the face model drew is kept.

// A face all of whose damage was filled from both sides, without the model, rests on nothing that could be told.
export const modelled = ({ faces }) => faces.some(({ mode, trust }) => mode !== "refuse" && Object.keys(trust).length > 0);

export const strengthText = (share) => (share === 1 ? "Fully redrawn" : share === 0 ? "Not redrawn" : `${percent(share)} redrawn`);

export function strengthNote(share, mixed) {
  if (!mixed) return "Mixing…";
  if (share === 1) return "Does the face look like somebody else? Less of it may look more like the person.";
  if (share === 0) return "The gaps are closed with what lies around them; no feature was drawn.";
  return "The rest is closed with what lies around the gaps. The download is what you see.";
}

export function restNote(share) { // under what the redrawn parts rest on
  return share === 1 ? "" : `That is true of the redrawn face, of which ${percent(share)} is mixed in.`;
}
export const NOT_REDRAWN = "No feature was drawn: the gaps are closed with what lies around them.";

const NAMES = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/tiff": "TIFF" };

export const formatTitle = (kind) => `${kind}, like your photo`;
export function formatHelp(kind, fade) { // with `fade` no part stays as it was
  if (kind === "JPEG") return `Small. The whole picture is packed anew, ${fade ? "with a trace of loss" : "so intact parts may differ by a trace"}.`;
  return fade ? "Nothing is lost in packing." : "Intact parts stay exactly as they were.";
}
export const downloadTitle = (type) => `Download restored (${NAMES[type] ?? "PNG"})`;
export const formatNote = (type, { veil }) => (type === "image/jpeg" && veil == null ? "A JPEG packs the whole picture anew: intact parts may differ by a trace. For exact pixels choose PNG before you restore." : "");
export function marking({ mode, generated, model_version }) { // what the picture of both says was done
  if (generated) return `Restored with AI (Likeness, model ${model_version})`;
  return mode === "fade" ? "Fading lifted (Likeness)" : "Filled from the photo itself (Likeness)";
}

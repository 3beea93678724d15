// What the figures mean, in plain words. Limits come from the service.

import settings from "/settings.js";

const TITLES = {
  inpaint: "Restored",
  partial: "Restored in part",
  colorize: "Colour is back",
  refuse: "We would rather not guess",
  unchanged: "Nothing had to be restored",
};

const VERDICTS = {
  inpaint: "The damaged parts were filled in. Everything else is exactly as it was.",
  partial: "So much is missing that only the parts that matter least for who this is were filled in. The rest was left alone.",
  colorize: "Shapes and shades are yours; colour was added where it was gone.",
  refuse: "So little of this face is left that a restoration would be somebody we made up. Your photo is unchanged.",
  unchanged: "We found no damage that we are sure of. Your photo comes back exactly as it was; mark what is damaged and try again.",
};

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
  if (declined(outcome)) return "There was nothing here that we could restore with a good conscience. Your photo is unchanged.";
  return VERDICTS[outcome.mode];
}

export function why(outcome) { // the service's reason, where people will ask
  if (!declined(outcome) && outcome.mode !== "partial") return "";
  return `Why: ${(outcome.reasons.length ? outcome.reasons : [outcome.reason]).join("; ")}.`;
}

export function advice(outcome) {
  if (outcome.mode === "partial") return outcome.references.length ? null : ["Add an undamaged photo of the same person: it can show what was left alone."];
  if (outcome.mode === "unchanged" && !declined(outcome)) return ["Mark with the brush what is damaged: what you mark is restored.", ...(outcome.mask.proposed > 0 ? ["Some places may be damage: they are shown lighter there, and “Mark these too” takes them."] : [])];
  if (!declined(outcome)) return null;
  if (!outcome.faces.length) return ["Check that the marks cover what is damaged on the face, and only that.", "Add another photo of the same person.", "A photo in which the face is larger and looks towards the camera works best."];
  return ["Add another photo of the same person: it can show what is gone.", "Check the marks: erase what is not really damaged.", "“Only the safest parts” may still help."];
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
  return `This looks damaged: ${percent(answer.area)} of the photo.${sure} Adjust it with the brush.`;
}

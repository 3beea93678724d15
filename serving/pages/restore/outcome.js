// The screen with the result: before and after, the files to take away, opinions.

import { ServiceError, post } from "../shared/api.js";
import { comparison, sideBySide } from "./compare.js";
import { download, restoredName } from "./download.js";
import { FullSize } from "./full.js";
import { describe } from "./result.js";
import { Strength } from "./strength.js";
import { THANKS, downloadTitle, formatNote, marking, title } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class OutcomeView {
  /** @type {import("./photo.js").Photo | null} */ photo = null;
  #shown = null; // the outcome that is on the screen
  #sent = null; // the form that it answers

  /** @param {(photo: import("./photo.js").Photo) => void} chosen is told when a result of another strength is wanted */
  constructor(chosen) {
    this.strength = new Strength(chosen);
    this.full = new FullSize();
    this.split = comparison($("compare"), $("split"));
    $("save").addEventListener("click", () => download(this.photo.restored, restoredName(this.photo)));
    $("save-both").addEventListener("click", async () => download(await sideBySide($("before"), $("after"), marking(this.photo.outcome)), `${this.photo.name}-beside.png`));
    $("at-full").addEventListener("click", () => this.full.open(this.photo.url, this.photo.result.url, middle(this.photo)));
    for (const button of document.querySelectorAll(".pair button")) button.addEventListener("click", () => this.#opinion(button));
  }

  /** @param {import("./photo.js").Photo} photo that was restored */
  async show(photo) {
    this.photo = photo;
    const { outcome, restored, sent } = photo;
    this.strength.show(photo);
    if (this.#shown !== outcome) {
      this.#shown = outcome;
      const alone = !photo.changed;
      for (const id of ["compare", "actions"]) $(id).hidden = alone;
      $("feedback").hidden = alone || outcome.mode === "fade"; // nothing was made up that could be judged
      $("alone").hidden = !alone;
      $("result-title").textContent = title(outcome);
      describe(outcome, photo.faded);
      for (const id of ["compare", "alone"]) $(id).style.setProperty("--ratio", photo.width / photo.height);
      for (const id of alone ? ["left-alone"] : ["before"]) $(id).src = photo.url;
      if (!alone) {
        $("after").src = photo.result.url;
        $("save").textContent = downloadTitle(restored.type);
        $("format-note").textContent = formatNote(restored.type, outcome);
        if (this.#sent !== sent) this.split(50);
      }
      this.#sent = sent;
    }
    this.#opinions();
  }

  async #opinion(button) {
    const { photo } = this;
    const { result } = photo;
    const { recognised, preferred } = button.dataset;
    const given = recognised ? { recognised: recognised === "true" } : { preferred };
    try {
      await post(`v1/restorations/${encodeURIComponent(result.outcome.request_id)}/feedback`, given);
      Object.assign(result.feedback, given);
      result.thanks = THANKS;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      result.thanks = error.message;
    }
    if (photo === this.photo) this.#opinions();
  }

  #opinions() {
    const { feedback, thanks } = this.photo.result;
    for (const button of document.querySelectorAll(".pair button")) {
      const { recognised, preferred } = button.dataset;
      const chosen = recognised ? String(feedback.recognised) === recognised : feedback.preferred === preferred;
      button.setAttribute("aria-pressed", String(chosen));
    }
    $("thanks").textContent = thanks;
  }
}

function middle({ outcome, width, height }) { // of the first face, else of the picture
  const [x, y, across, down] = outcome.faces[0]?.box ?? [0, 0, width, height];
  return [x + across / 2, y + down / 2];
}

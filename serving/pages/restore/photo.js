// One photo of a visit, with all that was done to it. Only its file and its marks are kept, no decoded picture.

import { Marks } from "./marks.js";

const FORMATS = [["JPEG", [0xff, 0xd8, 0xff]], ["PNG", [0x89, 0x50, 0x4e, 0x47]], ["WebP", [0x52, 0x49, 0x46, 0x46]]];

export class Photo {
  screen = "work"; // or "result"
  busy = ""; // what is being done to it; empty if nothing
  pending = 0; // requests that are not answered yet
  searched = false;
  found = ""; // what the search for damage told
  problem = null;
  mode = "auto";
  fade = false; // whether its fading is to be lifted
  format = "input"; // of the restored file: that of the photo, or "png"
  /** @type {File[]} */ references = [];
  sent = null; // the form of its restoration
  strength = 1; // that the visitor wants of what the face model drew
  result = null; // that is shown
  whole = null; // that of full strength

  /** @param {File} file that a browser can show @returns {Promise<Photo>} @throws where it cannot */
  static async open(file) {
    const photo = new Photo();
    const url = URL.createObjectURL(file);
    try {
      const image = Object.assign(new Image(), { src: url });
      await image.decode();
      Object.assign(photo, { file, url, width: image.naturalWidth, height: image.naturalHeight });
    } catch (error) {
      URL.revokeObjectURL(url);
      throw error;
    }
    const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
    photo.kind = FORMATS.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0] ?? "";
    photo.name = file.name.replace(/\.[^.]*$/, "") || "photo";
    photo.marks = new Marks(photo.width, photo.height);
    return photo;
  }

  /** Figures of the restoration, without its picture; null before. */
  get outcome() { return this.result?.outcome ?? null; }
  /** @returns {Blob | null} */
  get restored() { return this.result?.restored ?? null; }
  /** Whether a picture came back that is not the photo itself. */
  get changed() { return Boolean(this.restored) && this.outcome.mode !== "unchanged"; }
  /** Whether it was asked to lift the fading of the result. */
  get faded() { return Boolean(this.sent?.some(([name]) => name === "fade")); }
  /** Whether the result has the strength that is wanted. */
  get mixed() { return !this.result || this.strength === this.outcome.strength; }

  /** @param {object} outcome the service's answer @param {Blob | null} restored @param {[string, string | Blob][]} sent */
  finish(outcome, restored, sent) {
    this.#forget();
    this.whole = this.result = made(outcome, restored);
    Object.assign(this, { sent, strength: outcome.strength, screen: "result" });
  }

  /** @returns {[string, string | Blob][]} the form of the same restoration at the strength that is wanted */
  again() { // its pictures are kept once, if at all
    const same = this.sent.filter(([name]) => name !== "keep_basis");
    return [...same, ["strength", String(this.strength)], ["repeats", this.whole.outcome.request_id]];
  }

  /** @param {object} outcome of the same restoration at another strength @param {Blob | null} restored */
  mix(outcome, restored) {
    if (this.result !== this.whole) URL.revokeObjectURL(this.result.url);
    this.result = made({ ...outcome, kept: this.whole.outcome.kept }, restored);
  }

  /** Go back to the result of full strength; @returns {boolean} whether that is wanted */
  unmix() {
    if (this.strength !== this.whole.outcome.strength) return false;
    if (this.result !== this.whole) URL.revokeObjectURL(this.result.url);
    this.result = this.whole;
    return true;
  }

  close() {
    URL.revokeObjectURL(this.url);
    this.#forget();
  }

  #forget() {
    for (const result of [this.result, this.whole]) URL.revokeObjectURL(result?.url);
  }
}

function made(outcome, restored) { // `feedback`: answers by question
  return { outcome, restored, url: restored ? URL.createObjectURL(restored) : "", feedback: {}, thanks: "" };
}

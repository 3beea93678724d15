// One photo of a visit, with all that was done to it. Only its file and its marks are kept, no decoded picture.

import { Marks } from "./marks.js";

const FORMATS = [["JPEG", [0xff, 0xd8, 0xff]], ["PNG", [0x89, 0x50, 0x4e, 0x47]], ["WebP", [0x52, 0x49, 0x46, 0x46]]];

export class Photo {
  screen = "work"; // or "result"
  busy = ""; // what is being done to it; empty if nothing
  searched = false;
  found = ""; // what the search for damage told
  problem = null;
  mode = "auto";
  format = "input"; // of the restored file: that of the photo, or "png"
  /** @type {File[]} */ references = [];
  mask_note = "";
  outcome = null; // figures of the restoration, without its picture
  /** @type {Blob | null} */ restored = null;
  restored_url = "";
  feedback = {}; // answers by question
  thanks = "";

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

  /** @param {object} outcome the service's answer @param {Blob | null} restored */
  finish(outcome, restored) {
    URL.revokeObjectURL(this.restored_url);
    Object.assign(this, { outcome, restored, restored_url: restored ? URL.createObjectURL(restored) : "", screen: "result", feedback: {}, thanks: "" });
  }

  close() {
    for (const url of [this.url, this.restored_url]) URL.revokeObjectURL(url);
  }
}

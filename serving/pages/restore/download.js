// Files that the visitor takes away.

import { zip } from "./zip.js";

const ENDINGS = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/tiff": "tif" };

/** @param {Blob} content @param {string} name that the browser proposes */
export function download(content, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {import("./photo.js").Photo} photo that was restored @param {number} number of photos of this name before it */
export function restoredName({ name, restored }, number = 0) {
  return `${name}-restored${number ? `-${number + 1}` : ""}.${ENDINGS[restored.type] ?? "png"}`;
}

/** @param {import("./photo.js").Photo[]} photos that were restored @returns {Promise<Blob>} all of them in one file */
export function together(photos) {
  const taken = new Set();
  return zip(photos.map((photo) => {
    let number = 0;
    while (taken.has(restoredName(photo, number).toLowerCase())) number++; // some disks do not tell case apart
    taken.add(restoredName(photo, number).toLowerCase());
    return { name: restoredName(photo, number), content: photo.restored };
  }));
}

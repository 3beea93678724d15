// What is done to all photos of the queue: they are restored one after the other, and taken away in one file.

import { download, together } from "./download.js";
import { FILE_OF_ALL, RESTORE_ALL, STOP, allText, leftText } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class All {
  #run = null; // the photos of the run under way, and how many of them are done

  /** @param {import("./queue.js").Queue} queue @param {import("./requests.js").Requests} requests */
  constructor(queue, requests) {
    Object.assign(this, { queue, requests });
    $("restore-all").addEventListener("click", () => (this.#run ? this.#stop() : this.#restore()));
    $("download-all").addEventListener("click", async () => download(await together(this.#restored), FILE_OF_ALL));
  }

  get running() { return Boolean(this.#run); }
  get #open() { return this.queue.photos.filter((photo) => photo.screen === "work"); }
  get #restored() { return this.queue.photos.filter((photo) => photo.changed); }

  update() { // of what can be done
    $("restore-all").textContent = this.#run ? STOP : RESTORE_ALL;
    $("restore-all").disabled = this.#run ? this.#run.stopped : !this.#open.length;
    $("download-all").disabled = !this.#restored.length || this.#restored.some((photo) => !photo.mixed);
  }

  async #restore() {
    const run = (this.#run = { photos: this.#open, done: 0, stopped: false });
    this.#say(allText(0, run.photos.length), "");
    await Promise.all(run.photos.map(async (photo) => {
      await this.requests.restore(photo, () => !run.stopped && photo.screen === "work");
      run.done++;
      this.#say(allText(run.done, run.photos.length), "");
    }));
    this.#run = null;
    const there = run.photos.filter((photo) => this.queue.photos.includes(photo)); // the others were removed
    const left = there.filter((photo) => photo.screen === "work" || !photo.changed);
    this.#say(allText(there.length - left.length, there.length, true), leftText(left));
    this.update();
  }

  #stop() { // what has begun is finished
    this.#run.stopped = true;
    this.update();
  }

  #say(note, problem) {
    $("queue-note").textContent = note;
    $("queue-problem").textContent = problem;
    $("queue-problem").hidden = !problem;
  }
}

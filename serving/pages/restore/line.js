// One request at a time; what concerns the photo on the screen goes first.

export class Line {
  #waiting = [];
  #working = false;

  /** @param {(photo: object) => boolean} urgent whether it is on the screen */
  constructor(urgent) { this.urgent = urgent; }

  /**
   * @param {object} photo @param {() => Promise<void>} work which handles its own errors
   * @returns {Promise<void>} until it is done, or dropped
   */
  add(photo, work) {
    return new Promise((done) => {
      this.#waiting.push({ photo, work, done });
      this.#next();
    });
  }

  /** Forget what a photo waits for. */
  drop(photo) {
    const dropped = this.#waiting.filter((job) => job.photo === photo);
    this.#waiting = this.#waiting.filter((job) => job.photo !== photo);
    for (const { done } of dropped) done();
  }

  async #next() {
    if (this.#working || !this.#waiting.length) return;
    const index = Math.max(0, this.#waiting.findIndex((job) => this.urgent(job.photo)));
    const [job] = this.#waiting.splice(index, 1);
    this.#working = true;
    try {
      await job.work();
    } finally {
      this.#working = false;
      job.done();
      this.#next();
    }
  }
}

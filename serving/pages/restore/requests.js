// What the page asks of the service about a photo: its damage, its restoration, a restoration of another strength.

import { ServiceError, blob, call } from "../shared/api.js";
import { Line } from "./line.js";
import { MIXING, RESTORING, SEARCHING, WAITING } from "./texts.js";

export class Requests {
  /**
   * @param {import("./work.js").Work} work
   * @param {object} told `urgent(photo)`: whether it is on the screen; `changed(photo)`; `moved(photo)`: it went to
   * another screen; `barred()`: a token is needed
   */
  constructor(work, told) {
    Object.assign(this, { work, told });
    this.line = new Line(told.urgent);
  }

  /** Look for damage. */
  search(photo) { return this.#start(photo, SEARCHING, () => this.work.search(photo)); }

  /** @param {() => boolean} wanted whether it still is when its turn comes */
  restore(photo, wanted = () => true) {
    return this.#start(photo, RESTORING, async () => {
      if (!wanted()) return;
      if (!photo.searched && !photo.marks.share) await this.work.search(photo);
      photo.problem = this.work.obstacle(photo);
      if (photo.problem) return;
      const sent = await this.work.fields(photo);
      photo.finish(...(await answer(sent)), sent);
    });
  }

  /** Bring the result to the strength that the visitor chose, whatever it is by then. */
  mix(photo) {
    if (photo.busy) return; // under way, and goes on until it fits
    if (photo.mixed || photo.unmix()) return this.told.changed(photo);
    this.#start(photo, MIXING, async () => {
      try {
        while (!photo.mixed && !photo.unmix()) photo.mix(...(await answer(photo.again())));
      } catch (error) {
        photo.strength = photo.outcome.strength;
        throw error;
      }
    });
  }

  /** Forget what a photo waits for. */
  drop(photo) { this.line.drop(photo); }

  #start(photo, words, ask) { // it waits for its turn, and the page shows what became of it
    Object.assign(photo, { busy: photo.busy || WAITING, pending: photo.pending + 1, problem: null });
    const done = this.line.add(photo, async () => {
      photo.busy = words;
      this.told.changed(photo);
      const before = photo.screen;
      try {
        await ask();
      } catch (error) {
        photo.problem = error;
        if (!(error instanceof ServiceError)) throw error;
        if ([401, 403].includes(error.status)) this.told.barred();
      } finally {
        photo.busy = --photo.pending ? WAITING : "";
        this.told.changed(photo);
        if (photo.screen !== before) this.told.moved(photo);
      }
    });
    this.told.changed(photo);
    return done;
  }
}

async function answer(fields) { // figures and picture of a restoration
  const { picture, ...outcome } = await call("v1/restorations", fields);
  return [outcome, picture ? blob(picture, outcome.picture_type ?? "image/png") : null];
}

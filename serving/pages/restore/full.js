// Before and after at 100 %: one pixel of the picture is one pixel of the screen, and both are moved together.

const $ = (id) => document.getElementById(id);

export class FullSize {
  #led = new Map(); // where each pane was moved by the other

  constructor() {
    this.dialog = $("full");
    this.panes = [...this.dialog.querySelectorAll(".pane")];
    for (const pane of this.panes) {
      pane.addEventListener("scroll", () => this.#follow(pane));
      pane.addEventListener("pointerdown", (event) => event.pointerType === "mouse" && event.button === 0 && event.target !== pane && this.#grab(pane, event));
      pane.addEventListener("lostpointercapture", () => (this.dragged = null));
      pane.addEventListener("pointermove", (event) => pane.hasPointerCapture(event.pointerId) && pane.scrollTo(Math.round(this.held.x - event.clientX), Math.round(this.held.y - event.clientY)));
    }
    $("full-close").addEventListener("click", () => this.dialog.close());
    addEventListener("resize", () => this.dialog.open && this.#size());
  }

  /** @param {string} before @param {string} after addresses @param {number[]} middle of what is looked at, pixels of the picture */
  async open(before, after, middle) {
    const images = this.panes.map((pane) => pane.querySelector("img"));
    [images[0].src, images[1].src] = [before, after];
    await Promise.all(images.map((image) => image.decode()));
    this.dialog.showModal();
    this.#size();
    const [pane] = this.panes;
    pane.scrollTo(middle[0] / devicePixelRatio - pane.clientWidth / 2, middle[1] / devicePixelRatio - pane.clientHeight / 2);
    this.#follow(pane);
    pane.focus({ preventScroll: true });
  }

  #size() {
    for (const pane of this.panes) {
      const image = pane.querySelector("img");
      Object.assign(image.style, { width: `${image.naturalWidth / devicePixelRatio}px`, height: `${image.naturalHeight / devicePixelRatio}px` });
    }
  }

  #grab(pane, event) {
    event.preventDefault(); // no picture is dragged out of the page
    pane.focus({ preventScroll: true });
    pane.setPointerCapture(event.pointerId);
    this.dragged = pane;
    // a pane that still glides, after a key, must not pull back the one that is dragged
    for (const one of this.panes) one.scrollTo({ left: one.scrollLeft, top: one.scrollTop, behavior: "instant" });
    this.held = { x: event.clientX + pane.scrollLeft, y: event.clientY + pane.scrollTop };
  }

  #follow(moved) {
    if (this.dragged && this.dragged !== moved) return;
    const led = this.#led.get(moved);
    const near = led && Math.max(Math.abs(led.left - moved.scrollLeft), Math.abs(led.top - moved.scrollTop)) < 1; // browsers round
    if (near) return; // its event, told late, must not pull the other back
    for (const pane of this.panes) {
      if (pane === moved) continue;
      Object.assign(pane, { scrollLeft: moved.scrollLeft, scrollTop: moved.scrollTop });
      this.#led.set(pane, { left: pane.scrollLeft, top: pane.scrollTop });
    }
  }
}

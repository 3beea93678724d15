// Before and after: dragged by pointer or finger, moved by keyboard (it is a range input underneath).

const MOST = 7_000_000; // pixels of each picture side by side: phones refuse canvases of more than 16 million

export function comparison(frame, range) {
  const show = () => {
    frame.style.setProperty("--at", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} % original, ${100 - range.value} % restored`);
  };
  const drag = (event) => {
    const box = frame.getBoundingClientRect();
    range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    show();
  };
  frame.addEventListener("pointerdown", (event) => {
    frame.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true, focusVisible: false });
    drag(event);
  });
  frame.addEventListener("pointermove", (event) => frame.hasPointerCapture(event.pointerId) && drag(event));
  range.addEventListener("input", show);
  return (value) => { range.value = value; show(); };
}

export function sideBySide(before, after, caption) { // original and restored in one picture, with a caption
  const [full, high] = [before.naturalWidth, before.naturalHeight];
  const scale = Math.min(1, Math.sqrt(MOST / (full * high)));
  const [width, height] = [Math.round(full * scale), Math.round(high * scale)];
  const strip = Math.max(36, Math.round(height / 18));
  const both = Object.assign(document.createElement("canvas"), { width: 2 * width + 12, height: height + strip });
  const context = both.getContext("2d");
  context.fillStyle = "#faf6f0";
  context.fillRect(0, 0, both.width, both.height);
  context.drawImage(before, 0, 0, width, height);
  context.drawImage(after, width + 12, 0, width, height);
  Object.assign(context, { fillStyle: "#2b241e", font: `${Math.round(strip / 2.6)}px system-ui, sans-serif`, textBaseline: "middle" });
  context.fillText("Original", strip / 3, height + strip / 2, width - strip);
  context.fillText(caption, width + 12 + strip / 3, height + strip / 2, width - strip);
  return new Promise((resolve) => both.toBlob(resolve, "image/png"));
}

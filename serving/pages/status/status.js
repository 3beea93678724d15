// Fetches the page again and replaces its figures; opened details and the scroll position stay.
"use strict";

const main = () => document.querySelector("main");
const seconds = Number(document.body.dataset.refresh);

function openIds(root) {
  return [...root.querySelectorAll("details[open]")].map((one) => one.id);
}

async function refresh() {
  if (document.hidden) return;
  const note = document.getElementById("fresh");
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = openIds(main());
    main().replaceWith(document.adoptNode(page.querySelector("main")));
    document.title = page.title;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    note.textContent = page.getElementById("fresh").textContent;
    note.classList.remove("stale");
  } catch {
    note.textContent = "The service does not answer; these figures may be old.";
    note.classList.add("stale");
  }
}

if (seconds > 0) setInterval(refresh, seconds * 1000);

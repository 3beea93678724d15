// Calls to the service and to a study. A token is sent if the visitor entered one.

const KEY = "likeness-token";
const UNREADABLE = "The file of a photo is incomplete or damaged. Save or scan it anew and try that one.";
const PLAIN = { // what the service's codes mean to somebody who has only a photo
  empty_file: UNREADABLE, corrupt: UNREADABLE,
  unsupported_format: "A photo has a format that we cannot read. Save it as JPEG or PNG and try that one.",
  unsupported_mode: "A photo has colours of a kind that we cannot read. Save it as an ordinary JPEG or PNG and try that one.",
  multi_frame: "A file holds several pictures. Save the one that you mean as JPEG or PNG and try that one.",
  too_small: "A photo is too small for a face to be seen. Scan it at a higher resolution.",
  too_many_pixels: "A photo has more pixels than we can restore. Save a smaller copy and try that one.",
  too_many_bytes: "A photo's file is too large. Save a smaller copy and try that one.",
  bad_aspect_ratio: "A photo is too long and narrow. Cut out the part with the person and try that one.",
  no_visible_pixels: "A photo is fully transparent: there is nothing to be seen in it.",
  slow_body: "The photo took too long to arrive. Check your connection and try again.",
  storage_full: "The service has no room left and cannot take photos right now. Your photo was not stored. Please try again later.",
  storage: "The service has a fault of its own and cannot take photos right now. Please try again later.",
  too_late: "This took longer than we may let you wait. Try again in a minute, or with a smaller copy of the photo.",
};

export class ServiceError extends Error {
  constructor(status, text) { super(text); this.status = status; }
}

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value.trim()),
};

export const get = (path) => send(path, { method: "GET" });
export const post = (path, body) => send(path, { method: "POST", body: JSON.stringify(body) }, { "Content-Type": "application/json" });
export const call = (path, fields) => send(path, { method: "POST", body: form(fields) });

async function send(path, request, headers = {}) {
  const key = token.get() ? { Authorization: `Bearer ${token.get()}` } : {};
  let answer;
  try {
    answer = await fetch(path, { ...request, headers: { Accept: "application/json", ...key, ...headers } });
  } catch {
    throw new ServiceError(0, "The service cannot be reached. Check your connection and try again.");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ServiceError(answer.status, words(answer, content));
  return content;
}

function form(fields) {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

function words(answer, problem) {
  if (typeof problem.detail === "string") return problem.detail; // a study words its own errors
  if (answer.status === 401) return "This service needs an access token.";
  if (answer.status === 403) return "This access token does not allow that.";
  if (answer.status === 413) return "These photos are too large to be sent together. Send smaller copies, or fewer photos of the person.";
  if (answer.status === 429) return `Many people are here right now. Please try again in ${answer.headers.get("Retry-After") ?? "a few"} seconds.`;
  if (PLAIN[problem.code]) return PLAIN[problem.code];
  if (problem.expected) return `We needed ${problem.expected} and got ${problem.got}. Try this: ${problem.remedy}.`;
  return "Something went wrong on our side. Please try again.";
}

export async function picture(base64) {
  return createImageBitmap(blob(base64));
}

export function blob(base64, type = "image/png") {
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type });
}

// Calls to the service and to a study. A token is sent if the visitor entered one.

const KEY = "likeness-token";

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
  if (answer.status === 413) return "This photo is too large for the service.";
  if (answer.status === 429) return `Many people are here right now. Please try again in ${answer.headers.get("Retry-After") ?? "a few"} seconds.`;
  if (problem.expected) return `We needed ${problem.expected} and got ${problem.got}. Try this: ${problem.remedy}.`;
  return "Something went wrong on our side. Please try again.";
}

export async function picture(base64) {
  return createImageBitmap(blob(base64));
}

export function blob(base64, type = "image/png") {
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type });
}

// Requests to the server. Addresses are relative to the page's, which holds the token.

const status = document.getElementById("status"), alarm = document.getElementById("error");

export class Refused extends Error {
  constructor(message, stale) { super(message); this.stale = stale; }
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(`api/${path}`, options);
  } catch {
    throw new Refused("The server does not answer: it was ended. Start stylegan-ada explore again and open its new address.");
  }
  let found;
  try {
    found = await response.json();
  } catch {
    throw new Refused(`The server answered ${response.status} without words.`);
  }
  if (!response.ok) throw new Refused(found.error ?? `The server answered ${response.status}.`, found.stale);
  return found;
}

export const get = (path) => answer(path);
export const post = (path, values = {}) =>
  answer(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });
export const upload = (path, form) => answer(path, { method: "POST", body: form });

export function say(text) { status.textContent = text; }
export function fail(error) {
  if (error.stale) return;
  alarm.textContent = error.message;
  if (!(error instanceof Refused)) console.error(error);
}
export function clear() { alarm.textContent = ""; }

// Runs an action of the user's: shows what it refuses, and nothing of an earlier one.
export async function attempt(action, waiting = "") {
  clear();
  if (waiting) say(waiting);
  try {
    return await action();
  } catch (error) {
    fail(error);
  } finally {
    if (waiting) say("");
  }
}

// Of calls that come while one is under way only the newest is made.
export function newest(action) {
  let busy = false, next = null;
  return async function run(...values) {
    if (busy) { next = values; return; }
    busy = true;
    try {
      await action(...values);
    } finally {
      busy = false;
      if (next) { const values = next; next = null; run(...values); }
    }
  };
}

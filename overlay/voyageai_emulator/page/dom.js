// Elements and texts. No text is ever parsed as HTML.

import { RequestError } from "./errors.js";

export const byId = (id) => document.getElementById(id);

/** Make an element with properties (`class` and `aria-...` as attributes) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Fill a select, and keep the selected option if it is still there. */
export function choose(select, options, chosen = select.value) {
  const made = options.map((option) => {
    const { value, text } = typeof option === "object" ? option : { value: option, text: option };
    return make("option", { value, textContent: text });
  });
  select.replaceChildren(...made);
  if (made.some((option) => option.value === chosen)) select.value = chosen;
}

/** Show a text in a section's note, marked as an error if it is one. */
export function say(id, text = "", bad = false) {
  const note = byId(id);
  note.textContent = bad && text ? `Failed: ${text}` : text;
  note.classList.toggle("bad", bad && text !== "");
}

/** Do something that may fail, with the outcome in a note. */
export async function attempt(noteId, action) {
  say(noteId);
  try {
    say(noteId, (await action()) ?? "");
  } catch (error) {
    say(noteId, error.message, true);
    if (!(error instanceof RequestError)) throw error;
  }
}

/** Run an action when a form is submitted, one at a time. */
export function onSubmit(formId, noteId, action) {
  const form = byId(formId);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    await attempt(noteId, action).finally(() => { form.ariaBusy = "false"; });
  });
}

export function onClick(id, noteId, action) {
  byId(id).addEventListener("click", () => attempt(noteId, action));
}

/** Open a row by a click anywhere on it, as by its button, which the keyboard reaches. */
export function openByRow(rowsId) {
  byId(rowsId).addEventListener("click", ({ target }) => {
    const selecting = getSelection().type === "Range";
    if (selecting || target.closest("button")) return;
    const button = target.closest("tr").querySelector("button.link");
    button.focus(); // Focus returns to it when the dialog is closed.
    button.click();
  });
}

/** Show the details of one row. */
export function showDetail(heading, ...content) {
  byId("detail-heading").textContent = heading;
  byId("detail-content").replaceChildren(...content);
  byId("detail").showModal();
}

/** Names and values, one below the other. */
export function list(pairs) {
  const entries = Object.entries(pairs);
  return make("dl", { class: "pairs" }, entries.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** Make a bar for a share from 0 to 1; the number itself is beside it. */
export function track(share) {
  const bar = make("span");
  bar.style.setProperty("--share", Math.max(0, Math.min(1, share)));
  return make("span", { class: share >= 1 ? "track full" : "track", ariaHidden: "true" }, bar);
}

const NUMBER = new Intl.NumberFormat("en");
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const DAY_AND_TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const count = (number) => NUMBER.format(number);
export const time = (seconds) => TIME.format(seconds * 1000);
export const dayAndTime = (seconds) => DAY_AND_TIME.format(seconds * 1000);
export const day = (iso) => DAY.format(new Date(iso));
export const plural = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;

/** Format bytes in a suitable unit. */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${+(bytes / 1000 ** step).toPrecision(3)} ${units[step]}`;
}

/** Format seconds in a suitable unit. */
export function duration(seconds) {
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 100) return `${seconds.toFixed(2)} s`;
  return span(seconds);
}

/** Format a long time in its two largest units. */
export function span(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const parts = [];
  let left = Math.round(seconds);
  for (const [length, name] of units) {
    if (left >= length) parts.push(`${Math.floor(left / length)} ${name}`);
    left %= length;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

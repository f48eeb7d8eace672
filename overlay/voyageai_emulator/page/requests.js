// The table of requests, updated as they arrive.

import { attempt, byId, count, dayAndTime, duration, list, make, onClick, openByRow, plural, showDetail, time } from "./dom.js";
import { admin } from "./server.js";

const KEPT = 100;
const QUIET = 10_000;
const rows = new Map();
let lastNumber = 0;
let paused = false;
let unannounced = 0;
let announced = 0;

export function start(round) {
  for (const id of ["filter-operation", "filter-status"]) byId(id).addEventListener("change", showFiltered);
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    byId("pause").ariaPressed = String(paused);
    round();
  });
  onClick("forget", "requests-news", async () => {
    await admin("DELETE", "requests?limit=0");
    reset();
    showFiltered();
    return "The requests were cleared.";
  });
  openByRow("requests-rows");
  byId("detail-close").addEventListener("click", () => byId("detail").close());
}

export async function open() {
  reset();
  lastNumber = 0;
}

export async function update() {
  if (paused) return;
  // Requests in progress may have ended since; those before the first of them cannot change.
  const inProgress = [...rows.values()].filter(({ record }) => !record.done);
  const after = Math.min(lastNumber, ...inProgress.map(({ record }) => record.number - 1));
  const lines = await admin("GET", `requests?brief=true&limit=${KEPT}&after=${after}`);
  const first = lastNumber === 0;
  for (const line of lines.split("\n").filter(Boolean)) show(JSON.parse(line), !first);
  while (rows.size > KEPT) drop(Math.min(...rows.keys()));
  showFiltered();
  announce();
}

function reset() {
  for (const number of [...rows.keys()]) drop(number);
}

function drop(number) {
  rows.get(number).element.remove();
  rows.delete(number);
}

function show(record, fresh) {
  const known = rows.get(record.number);
  if (known?.record.done || (!known && record.number <= lastNumber)) return;
  if (known) {
    if (record.done) known.element.replaceChildren(...cells(record));
    known.record = record;
    return;
  }
  const element = make("tr", { class: fresh ? "fresh" : "" }, cells(record));
  byId("requests-rows").prepend(element);
  rows.set(record.number, { record, element });
  lastNumber = record.number;
  if (fresh) unannounced += 1;
}

function cells(record) {
  const number = make("button", { type: "button", class: "link", textContent: record.number, ariaLabel: `Request ${record.number}: details` });
  number.addEventListener("click", () => attempt("requests-news", () => showRequest(record.number)));
  const { text, kind } = outcome(record);
  return [
    make("td", { class: "number" }, number),
    make("td", {}, time(record.time)),
    cut(record.operation ?? `${record.method} ${record.path}`),
    cut(record.model),
    make("td", {}, record.input_type ?? ""),
    make("td", { class: "number" }, record.tokens === null ? "" : count(record.tokens)),
    make("td", {}, make("span", { class: `status ${kind}` }, text)),
    make("td", { class: "number" }, record.duration === null ? "" : duration(record.duration)),
    cut(record.fault, "cut rest"),
  ];
}

const cut = (text, name = "cut") => make("td", { class: name, title: text ?? "" }, text ?? "");

function outcome({ status, done, disconnected }) {
  if (status !== null) return { text: String(status), kind: status < 300 ? "good" : status < 500 ? "warn" : "bad" };
  if (!done) return { text: "under way", kind: "" };
  return { text: disconnected ? "client left" : "no answer", kind: "bad" };
}

function matches({ operation, status, done }) {
  const wanted = byId("filter-operation").value;
  const kind = byId("filter-status").value;
  if (wanted && wanted !== operation) return false;
  if (kind === "none") return done && status === null;
  return !kind || String(status ?? "").startsWith(kind);
}

function showFiltered() {
  let shown = 0;
  for (const { record, element } of rows.values()) {
    element.hidden = !matches(record);
    if (!element.hidden) shown += 1;
  }
  const all = rows.size;
  const latest = all === KEPT ? "the latest " : "";
  byId("requests-count").textContent = shown === all ? `${latest}${count(all)}` : `${count(shown)} of ${latest}${count(all)}`;
  const empty = byId("requests-empty");
  empty.hidden = shown > 0;
  empty.textContent = all ? "No request matches the filters." : "No requests yet.";
}

/** Announce to screen readers, now and then, how many requests arrived. */
function announce() {
  if (!unannounced || Date.now() - announced < QUIET) return;
  byId("requests-news").textContent = plural(unannounced, "new request");
  unannounced = 0;
  announced = Date.now();
}

async function showRequest(number) {
  const { headers, body, ...record } = await admin("GET", `requests/${number}`);
  const query = record.query ? `?${record.query}` : "";
  const pairs = {
    "Request": `${record.method} ${record.path}${query}`,
    "Operation": record.operation ?? "not part of the API",
    "Arrived": dayAndTime(record.time),
    "Status": outcome(record).text,
    "Duration": record.duration === null ? "" : duration(record.duration),
    "Tokens": record.tokens === null ? "not counted" : count(record.tokens),
    "Fault": record.fault ?? "none",
    "x-request-id": record.id,
    "API key": record.key === null ? "none" : `fingerprint ${record.key}`,
  };
  const text = body === null ? "" : JSON.stringify(body, null, 2);
  const shown = text.length > 50_000 ? `${text.slice(0, 50_000)}\n… ${plural(text.length - 50_000, "more character")}` : text;
  showDetail(
    `Request ${number}`,
    list(pairs),
    make("h3", {}, "Headers"),
    list(headers),
    make("h3", {}, `Body, ${plural(record.size, "byte")}`),
    make("pre", { tabIndex: 0, role: "region", ariaLabel: "Body" }, shown || "The body is not JSON."),
  );
}

// Start the page and keep it up to date: one round a second, while it is visible.

import { byId, choose, count, span } from "./dom.js";
import * as batches from "./batches.js";
import * as faults from "./faults.js";
import * as limits from "./limits.js";
import * as playground from "./playground.js";
import { RequestError } from "./errors.js";
import * as requests from "./requests.js";
import * as server from "./server.js";
import * as time from "./time.js";

const PARTS = [requests, limits, faults, time, playground, batches];
const INTERVAL = 1000;
let opened = null; // The emulator's id: another may start at the same address.
let next = null;
let last = Promise.resolve(); // The last round that was asked for.

function showState(state) {
  byId("base-url").textContent = location.origin + state.base;
  byId("version").textContent = state.version;
  byId("engine").textContent = state.settings.engine;
  byId("uptime").textContent = span(state.uptime);
  byId("connections-fact").hidden = state.connections === null;
  byId("connections").textContent = count(state.connections?.open ?? 0);
  const { in_flight, waiting } = state.requests;
  byId("in-flight").textContent = waiting ? `${count(in_flight)}, ${count(waiting)} waiting` : count(in_flight);
}

function showLock(reason) {
  opened = null;
  for (const id of ["facts", "bar", "open"]) byId(id).hidden = true;
  byId("locked").hidden = false;
  byId("locked-note").textContent = reason;
  byId("token").focus();
}

function showConnected(connected) {
  const text = connected ? "Connected" : "The emulator does not answer";
  const status = byId("connected");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("bad", !connected);
}

async function open(state) {
  byId("locked").hidden = true;
  for (const id of ["facts", "bar", "open"]) byId(id).hidden = false;
  const operations = state.operations.map((operation) => operation.id);
  for (const id of ["filter-operation", "fault-operation"]) {
    choose(byId(id), [{ value: "", text: "all" }, ...operations]);
  }
  for (const part of PARTS) await part.open(state);
  opened = state.id;
}

async function update() {
  if (server.token() === null) {
    // Only once, to keep the note and the focus.
    if (byId("locked").hidden) showLock("");
    return;
  }
  try {
    const state = await server.admin("GET", "state");
    server.keepState(state);
    if (opened !== state.id) await open(state);
    showState(state);
    for (const part of PARTS) await part.update(state);
    showConnected(true);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 401) {
      server.forgetToken();
      showLock("That is not the token of this emulator.");
    } else {
      showConnected(false);
    }
  }
}

/** Update the page, after the round under way: one that began before an action may not show it. */
function round() {
  last = last.catch(() => {}).then(async () => {
    try {
      if (document.visibilityState === "visible") await update();
    } finally {
      clearTimeout(next);
      next = setTimeout(round, INTERVAL);
    }
  });
  return last;
}

for (const part of PARTS) part.start(round);
byId("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  server.keepToken(byId("token").value);
  byId("locked-note").textContent = "";
  byId("token").value = "";
  round();
});
addEventListener("hashchange", () => {
  if (server.takeToken()) round();
});
document.addEventListener("visibilitychange", round);
server.takeToken();
round();

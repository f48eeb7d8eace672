// Batch jobs and files of all API keys. The page changes those of its own key, by the API.

import { attempt, byId, choose, count, day, list, make, onClick, onSubmit, openByRow, showDetail, size, track } from "./dom.js";
import { chooseModel } from "./playground.js";
import { RequestError } from "./errors.js";
import { admin, api, endpointOf } from "./server.js";

const NOTE = "batches-note";
const MOST = 100;
const ENDS = ["completed_at", "failed_at", "cancelled_at", "cancelling_at"];
const KINDS = { completed: "good", failed: "bad", cancelled: "warn", cancelling: "warn" };
let about = null;
let refresh = null;
const shown = { batches: null, files: null };

export function start(round) {
  refresh = round;
  byId("batch-endpoint").addEventListener("change", showModels);
  byId("api-key").addEventListener("change", round);
  for (const name of ["batches", "files"]) openByRow(`${name}-rows`);
  onSubmit("upload", NOTE, upload);
  onSubmit("batch", NOTE, create);
  onSubmit("steering", NOTE, async () => {
    await admin("POST", "batches/hold", { status: byId("hold").value });
    await refresh();
  });
  onClick("release", NOTE, async () => {
    await admin("POST", "batches/release", {});
    await refresh();
  });
}

export async function open(state) {
  about = state;
  const { choices } = state;
  choose(byId("upload-purpose"), choices.purpose);
  choose(byId("batch-endpoint"), choices.endpoint);
  choose(byId("batch-window"), choices.completion_window);
  choose(byId("batch-type"), [{ value: "", text: "none" }, ...choices.input_type]);
  choose(byId("hold"), choices.hold);
  showModels();
}

export async function update() {
  const [{ batches, held }, { files }, key] = await Promise.all([
    admin("GET", "batches"), admin("GET", "files"), ownKey(),
  ]);
  const withOwn = (each) => ({ ...each, own: each.owner === key });
  const known = files.map(withOwn);
  showRows("batches", batches.map(withOwn), batchRow);
  showRows("files", known, fileRow);
  chooseFile(known.filter((file) => file.own));
  byId("held").textContent = held.length ? `Held in ${held.join(", ")}` : "No batches are held";
}

/** Fingerprint of the page's API key; null if the emulator does not take it, with the reason said. */
async function ownKey() {
  let owner = null;
  let why = "";
  try {
    ({ owner } = await admin("GET", "key"));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    why = error.status ? `The emulator refuses the API key at the top of the page: ${error.message}` : error.message;
  }
  if (byId("key-note").textContent !== why) byId("key-note").textContent = why;
  return owner;
}

function showRows(id, all, row) {
  const data = all.slice(0, MOST);
  const note = byId(`${id}-empty`);
  note.hidden = data.length > 0 && data.length === all.length;
  note.textContent = all.length ? `These are the latest ${count(MOST)} of ${count(all.length)}.` : `There are no ${id}, of any API key.`;
  const text = JSON.stringify(data);
  if (text === shown[id]) return; // Replacing the rows would take the focus from their buttons.
  const at = document.activeElement?.id;
  shown[id] = text;
  byId(`${id}-rows`).replaceChildren(...data.map(row));
  if (at && document.activeElement === document.body) byId(at)?.focus();
}

function batchRow({ own, ...batch }) {
  const { id, owner, endpoint, model, status, request_counts: counts, created_at, errors } = batch;
  const actions = [];
  if (!ENDS.some((name) => batch[name])) actions.push(action("Cancel", id, () => api("cancelBatch", { path: { batch_id: id } })));
  if (batch.output_file_id) actions.push(action("Output", id, () => download(batch.output_file_id, `${id}-output.jsonl`)));
  if (batch.error_file_id) actions.push(action("Errors", id, () => download(batch.error_file_id, `${id}-errors.jsonl`)));
  const why = (errors?.data ?? []).map((error) => error.message).join("\n");
  return make("tr", {},
    opener("Batch", batch),
    keyCell(owner, own),
    make("td", {}, `${endpoint}, ${model ?? "no model"}`),
    make("td", { title: why }, make("span", { class: `status ${KINDS[status] ?? ""}` }, status), why ? make("div", { class: "cut" }, why) : null),
    make("td", {}, progress(counts)),
    make("td", {}, day(created_at)),
    actionsCell(own, actions));
}

/** The cell with the button that opens a row. */
function opener(kind, row) {
  const id = `open-${row.id}`;
  const button = make("button", { type: "button", class: "link code", id, title: row.id, ariaLabel: `${kind} ${row.id}: details` }, row.id.replace(/^\w+-/, ""));
  const fields = Object.entries(row).filter(([, value]) => value !== null);
  const texts = fields.map(([name, value]) => [name === "owner" ? "API key" : name, name === "owner" ? `fingerprint ${value}` : asText(value)]);
  button.addEventListener("click", () => showDetail(`${kind} ${row.id}`, list(Object.fromEntries(texts))));
  return make("td", { class: "cut" }, button);
}

const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

const keyCell = (owner, own) => make("td", { class: own ? "" : "code cut", title: `Fingerprint of the API key: ${owner}` }, own ? "this page’s" : owner);

/** The cell with a row's actions, which the API allows only to the row's own key. */
function actionsCell(own, actions) {
  if (own || !actions.length) return make("td", {}, make("div", { class: "actions" }, actions));
  return make("td", { class: "muted" }, "need its API key");
}

function progress(counts) {
  if (!counts) return "";
  const { total, completed, failed } = counts;
  const text = `${count(completed)} of ${count(total)}${failed ? `, ${count(failed)} failed` : ""}`;
  return make("div", { class: "gauge" }, make("span", {}, text), track(total ? (completed + failed) / total : 0));
}

function fileRow({ own, ...file }) {
  const { id, owner, filename, purpose, bytes, created_at, expires_at } = file;
  const actions = [
    action("Download", id, () => download(id, filename)),
    action("Delete", id, () => api("deleteFile", { path: { file_id: id } })),
  ];
  return make("tr", {},
    opener("File", file),
    keyCell(owner, own),
    make("td", { class: "cut", title: filename }, filename),
    make("td", {}, purpose),
    make("td", { class: "number" }, size(bytes)),
    make("td", {}, day(created_at)),
    make("td", {}, expires_at ? day(expires_at) : "never"),
    actionsCell(own, actions));
}

function action(name, id, act) {
  const button = make("button", { type: "button", class: "small", id: `${name}-${id}`, ariaLabel: `${name} ${id}` }, name);
  button.addEventListener("click", () => attempt(NOTE, async () => {
    await act();
    await refresh();
    return `${name}: ${id}`;
  }));
  return button;
}

async function download(id, name) {
  const answer = await api("retrieveFileContent", { path: { file_id: id } });
  const url = URL.createObjectURL(await answer.blob());
  make("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

async function upload() {
  const form = new FormData();
  form.append("purpose", byId("upload-purpose").value);
  form.append("file", byId("upload-file").files[0]);
  const file = await (await api("uploadFile", { form })).json();
  byId("upload").reset();
  await refresh();
  byId("batch-file").value = file.id;
  return `Uploaded as ${file.id}.`;
}

async function create() {
  const params = { model: byId("batch-model").value };
  const role = byId("batch-type").value;
  if (role && !byId("batch-type").disabled) params.input_type = role;
  const body = {
    endpoint: byId("batch-endpoint").value,
    input_file_id: byId("batch-file").value,
    completion_window: byId("batch-window").value,
    request_params: params,
  };
  const batch = await (await api("createBatch", { body })).json();
  await refresh();
  return `Created ${batch.id}.`;
}

/** Offer the files that a batch can read; those that a batch wrote have another purpose. */
function chooseFile(files) {
  const usable = files.filter((file) => about.choices.purpose.includes(file.purpose));
  const options = usable.map(({ id, filename }) => ({ value: id, text: `${filename} (${id.slice(0, 12)}…)` }));
  const text = JSON.stringify(options);
  if (byId("batch-file").dataset.shown === text) return;
  byId("batch-file").dataset.shown = text;
  choose(byId("batch-file"), options);
}

function showModels() {
  const endpoint = byId("batch-endpoint").value.slice(about.base.length + 1);
  chooseModel("batch-model", (about.models[endpoint] ?? []).filter((model) => model.batch !== false));
  byId("batch-type").disabled = endpoint === endpointOf("rerank");
}

// The playground: compare texts, and rank documents.

import { byId, choose, make, onSubmit, plural, track } from "./dom.js";
import { RequestError } from "./errors.js";
import { api, endpointOf } from "./server.js";

const MAX_TEXTS = 40;
const EMBED = "createEmbeddings";
const RERANK = "rerank";

export function start(round) {
  onSubmit("similarity", "similarity-note", () => showOrClear("similarity-result", async () => {
    const texts = lines("texts");
    if (texts.length > MAX_TEXTS) throw new RequestError(`The table shows at most ${MAX_TEXTS} texts; there are ${texts.length}.`);
    const body = { input: texts, model: byId("texts-model").value };
    const role = byId("texts-type").value;
    if (role) body.input_type = role;
    const answer = await (await api(EMBED, { body })).json();
    showHeat(texts, vectors(answer.data), `Cosine similarity, ${answer.model}, ${plural(answer.usage.total_tokens, "token")}`);
    void round(); // Not waited for: the form is ready for the next request.
  }));
  onSubmit("reranking", "reranking-note", () => showOrClear("reranking-result", async () => {
    const documents = lines("documents");
    const body = { query: byId("query").value, documents, model: byId("rerank-model").value };
    const answer = await (await api(RERANK, { body })).json();
    showRanking(documents, answer.data, `Relevance, ${answer.model}, ${plural(answer.usage.total_tokens, "token")}`);
    void round(); // Not waited for: the form is ready for the next request.
  }));
}

/** Remove the last result when the new request fails: it belongs to another request. */
async function showOrClear(resultId, action) {
  try {
    await action();
  } catch (error) {
    byId(resultId).replaceChildren();
    throw error;
  }
}

export async function open({ models, choices }) {
  chooseModel("texts-model", models[endpointOf(EMBED)]);
  chooseModel("rerank-model", models[endpointOf(RERANK)]);
  choose(byId("texts-type"), [{ value: "", text: "none" }, ...choices.input_type]);
}

export async function update() {}

/** Fill a select with models, and select one that is recommended. */
export function chooseModel(id, models = []) {
  const options = models.map(({ name, lifecycle }) => ({
    value: name,
    text: lifecycle === "active" ? name : `${name} (${lifecycle})`,
  }));
  const select = byId(id);
  const first = models.find((model) => model.lifecycle === "active");
  choose(select, options, models.some(({ name }) => name === select.value) ? select.value : first?.name);
}

const lines = (id) => byId(id).value.split("\n").map((line) => line.trim()).filter(Boolean);

function vectors(data) {
  const inOrder = data.toSorted((one, other) => one.index - other.index);
  return inOrder.map(({ embedding }) => {
    const length = Math.hypot(...embedding);
    return embedding.map((value) => value / length);
  });
}

function showHeat(texts, all, title) {
  const top = texts.map((text, i) => make("th", { scope: "col", title: text }, String(i + 1), make("span", { class: "unseen" }, ` ${text}`)));
  const body = all.map((vector, i) => {
    const cells = all.map((other) => {
      const similarity = vector.reduce((sum, value, k) => sum + value * other[k], 0);
      const cell = make("td", {}, similarity.toFixed(2).replace("-0.00", "0.00"));
      cell.style.setProperty("--share", Math.max(0, Math.min(1, similarity)));
      return cell;
    });
    const name = make("th", { scope: "row", title: texts[i] }, make("span", { class: "index" }, String(i + 1)), ` ${texts[i]}`);
    return make("tr", {}, name, cells);
  });
  const table = make("table", { class: "heat" }, make("caption", {}, title), make("thead", {}, make("tr", {}, make("td", { class: "corner" }), top)), make("tbody", {}, body));
  const frame = framed(table, "Similarity of the texts");
  const half = byId("similarity-result").parentElement;
  half.classList.remove("whole");
  byId("similarity-result").replaceChildren(frame);
  // A table that is too wide for one half takes both, and scrolls where these are too narrow.
  half.classList.toggle("whole", frame.scrollWidth > frame.clientWidth);
}

function showRanking(documents, data, title) {
  const heads = ["Rank", "Document", "Score"].map((text) => make("th", { scope: "col" }, text));
  const body = data.map(({ index, relevance_score: score }, i) => {
    const bar = make("div", { class: "scored" }, make("span", {}, score.toFixed(4)), track(score));
    return make("tr", {}, make("td", {}, String(i + 1)), make("td", {}, documents[index]), make("td", { class: "score" }, bar));
  });
  const table = make("table", { class: "ranked" }, make("caption", {}, title), make("thead", {}, make("tr", {}, heads)), make("tbody", {}, body));
  byId("reranking-result").replaceChildren(framed(table, "The documents in order"));
}

const framed = (table, name) => make("div", { class: "frame", role: "region", ariaLabel: name, tabIndex: 0 }, table);

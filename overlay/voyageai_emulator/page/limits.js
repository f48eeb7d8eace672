// Usage of the rate limits.

import { attempt, byId, choose, count, make, track } from "./dom.js";
import { admin } from "./server.js";

let shown = null;

export function start(round) {
  byId("tier").addEventListener("change", () => attempt("limits-note", async () => {
    await admin("PUT", "limits", { tier: byId("tier").value || null });
    await round();
  }));
}

export async function open() {
  const { tiers, tier } = await admin("GET", "limits");
  choose(byId("tier"), [{ value: "", text: "none" }, ...tiers], tier ?? "");
}

export async function update() {
  const { tier, usage } = await admin("GET", "usage");
  const select = byId("tier");
  if (document.activeElement !== select) select.value = tier ?? "";
  const text = JSON.stringify(usage);
  if (text === shown) return;
  shown = text;
  byId("usage-rows").replaceChildren(...usage.toReversed().map(row));
  byId("usage-empty").hidden = usage.length > 0;
}

function row({ model, owner, requests, tokens, rpm, tpm }) {
  const name = make("td", {}, make("div", { class: "cut", title: model }, model), make("div", { class: "muted code", title: "Fingerprint of the API key" }, owner));
  return make("tr", {}, name, make("td", {}, gauge(requests, rpm)), make("td", {}, gauge(tokens, tpm)));
}

function gauge(used, limit) {
  if (limit === null) return make("div", { class: "gauge" }, count(used));
  return make("div", { class: "gauge" }, make("span", {}, `${count(used)} of ${count(limit)}`), track(limit ? used / limit : 1));
}

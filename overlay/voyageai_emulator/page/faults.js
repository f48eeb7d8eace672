// The form and the plan of faults.

import { attempt, byId, choose, count, make, onClick, onSubmit, plural } from "./dom.js";
import { admin } from "./server.js";

const ALWAYS = 1;
let kinds = new Map();
let shown = null;

export function start() {
  byId("fault-name").addEventListener("change", showKind);
  byId("fault-when").addEventListener("change", showAmount);
  onSubmit("fault", "faults-note", async () => {
    showPlan((await admin("POST", "faults", entry())).plan);
  });
  onClick("fault-clear", "faults-note", async () => {
    showPlan((await admin("DELETE", "faults")).plan);
  });
}

export async function open() {
  const { faults } = await admin("GET", "faults");
  kinds = new Map(faults.map((kind) => [kind.name, kind]));
  choose(byId("fault-name"), [...kinds.keys()], kinds.has("status") ? "status" : undefined);
  showKind();
  showAmount();
}

export async function update() {
  showPlan((await admin("GET", "faults")).plan);
}

function showKind() {
  const kind = kinds.get(byId("fault-name").value);
  // Names in the descriptions are between backticks.
  const parts = kind.description.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
  byId("fault-description").replaceChildren(...parts);
  const fields = Object.entries(kind.parameters).map(([name, value]) => {
    const id = `fault-parameter-${name}`;
    const input = typeof value === "boolean"
      ? make("input", { id, type: "checkbox", checked: value })
      : make("input", { id, type: typeof value === "number" ? "number" : "text", value: String(value) });
    if (typeof value === "number") input.step = "any";
    return make("div", { class: "field" }, make("label", { htmlFor: id }, name), input);
  });
  const group = byId("fault-parameters");
  group.replaceChildren(...fields);
  group.hidden = fields.length === 0;
}

function showAmount() {
  const when = byId("fault-when").value;
  const amount = byId("fault-amount");
  byId("fault-amount-field").hidden = when === "always";
  amount.disabled = when === "always";
  byId("fault-amount-label").textContent = when === "rate" ? "Percent" : "How many";
  amount.max = when === "rate" ? 100 : 1_000_000;
  amount.step = when === "rate" ? "any" : 1;
  if (when === "rate") amount.value = Math.min(amount.valueAsNumber || 10, 100);
}

function entry() {
  const kind = kinds.get(byId("fault-name").value);
  const planned = { fault: kind.name };
  for (const [name, value] of Object.entries(kind.parameters)) {
    const input = byId(`fault-parameter-${name}`);
    const given = typeof value === "boolean" ? input.checked : input.value;
    if (String(given) !== String(value)) planned[name] = given;
  }
  const amount = byId("fault-amount").valueAsNumber;
  const when = byId("fault-when").value;
  if (when === "times") planned.times = amount;
  else planned.rate = when === "rate" ? amount / 100 : ALWAYS;
  const operation = byId("fault-operation").value;
  if (operation) planned.operation = operation;
  return planned;
}

function showPlan(plan) {
  const text = JSON.stringify(plan);
  if (text === shown) return; // Replacing the rows would take the focus from their buttons.
  shown = text;
  byId("faults-on").textContent = plan.length ? `${count(plan.length)} planned` : "none planned";
  byId("plan").replaceChildren(...plan.map(item));
}

function item(planned) {
  const remove = make("button", { type: "button", class: "small", ariaLabel: `Remove ${planned.fault}` }, "Remove");
  remove.addEventListener("click", () => attempt("faults-note", async () => {
    const { plan } = await admin("GET", "faults");
    const at = plan.findIndex((each) => same(each, planned));
    if (at >= 0) plan.splice(at, 1);
    showPlan((await admin("PUT", "faults", plan)).plan);
    byId("fault-name").focus();
  }));
  const words = make("p", {}, make("span", { class: "code" }, planned.fault), ` ${happens(planned)}`);
  return make("li", {}, words, remove);
}

/** Return whether two entries are the same, apart from the number of requests left. */
function same(one, other) {
  return one.fault === other.fault && one.operation === other.operation && one.rate === other.rate;
}

function happens({ times, rate, operation }) {
  const of = operation === null ? "" : ` of ${operation}`;
  if (times !== undefined) return times === 1 ? `for the next request${of}` : `for the next ${plural(times, "request")}${of}`;
  return rate >= ALWAYS ? `for every request${of}` : `for ${+(rate * 100).toFixed(4)} % of requests${of}`;
}

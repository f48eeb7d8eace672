// The emulator's clock, and how long its answers take.

import { attempt, byId, dayAndTime, onSubmit, span } from "./dom.js";
import { admin } from "./server.js";

export function start() {
  for (const button of document.querySelectorAll("[data-advance]")) {
    button.addEventListener("click", () => attempt("time-note", async () => {
      showClock(await admin("POST", "clock", { advance: Number(button.dataset.advance) }));
      return `The clock was advanced: ${byId("clock").textContent}.`;
    }));
  }
  byId("latency-kind").addEventListener("change", showFixed);
  onSubmit("latency", "time-note", async () => {
    const kind = byId("latency-kind").value;
    const said = kind === "fixed" ? byId("latency-seconds").value : kind;
    await admin("PUT", "latency", { latency: said });
    return "The latency was set.";
  });
}

export async function open({ latency }) {
  const kind = byId("latency-kind");
  kind.value = latency;
  if (!kind.value) {
    kind.value = "fixed";
    byId("latency-seconds").value = latency;
  }
  showFixed();
}

export async function update({ clock }) {
  showClock(clock);
}

function showClock({ time, ahead }) {
  byId("clock").textContent = dayAndTime(time);
  byId("ahead").textContent = ahead >= 1 ? `${span(ahead)} ahead` : "";
}

function showFixed() {
  const fixed = byId("latency-kind").value === "fixed";
  byId("latency-field").hidden = !fixed;
  byId("latency-seconds").disabled = !fixed;
}

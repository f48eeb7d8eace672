// How the page asks the emulator: its own routes with the token, the API with the API key.

import { byId } from "./dom.js";
import { Refusal } from "./refusal.js";

const KEPT = "emulator-token";
let about = null;

/** Take the token out of the address, where it would be seen and copied. */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return false;
  keepToken(token);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export const keepToken = (token) => sessionStorage.setItem(KEPT, token.trim());
export const token = () => sessionStorage.getItem(KEPT);
export const forgetToken = () => sessionStorage.removeItem(KEPT);

/** What the emulator said of itself; operations and their paths are taken from it. */
export const learn = (state) => { about = state; };

/** Ask one of the emulator's own routes. */
export async function admin(method, path, body) {
  const headers = { "x-emulator-token": token() ?? "" };
  if (path === "key") headers.authorization = authorization();
  const answer = await send(`/_emulator/${path}`, { method, headers, body: asJson(body, headers) });
  return answer.headers.get("content-type").startsWith("application/json") ? answer.json() : answer.text();
}

/** Ask the API, by an operation's id. */
export async function api(id, { path = {}, body, form } = {}) {
  const operation = about.operations.find((each) => each.id === id);
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
  const headers = { authorization: authorization() };
  return send(about.base + filled, { method: operation.method, headers, body: form ?? asJson(body, headers) });
}

/** The only model endpoint that an operation's path names. */
export const endpointOf = (id) => about.operations.find((each) => each.id === id).path.slice(1);

function authorization() {
  const key = byId("api-key").value.trim();
  if (!/^[!-~]+$/.test(key)) throw new Refusal("Type an API key at the top of the page: letters, digits and punctuation, without spaces.");
  return `Bearer ${key}`;
}

function asJson(body, headers) {
  if (body === undefined) return undefined;
  headers["content-type"] = "application/json";
  return JSON.stringify(body);
}

async function send(url, options) {
  let answer;
  try {
    answer = await fetch(url, { ...options, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch {
    throw new Refusal("The emulator did not answer.");
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let detail = text.slice(0, 300);
  try {
    detail = JSON.parse(text).detail ?? detail;
  } catch {
    // No JSON: a fault, or something between here and the emulator.
  }
  throw new Refusal(`${answer.status}, ${typeof detail === "string" ? detail : JSON.stringify(detail)}`, answer.status);
}

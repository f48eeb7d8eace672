// Requests to the emulator: to its own routes with the token, to the API with the API key.

import { byId } from "./dom.js";
import { RequestError } from "./errors.js";

const KEPT = "emulator-token";
let state = null;

/** Move the token out of the address, where it could be seen and copied. */
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

/** Keep the emulator's state, which has the operations and their paths. */
export const keepState = (received) => { state = received; };

/** Send a request to one of the emulator's own routes. */
export async function admin(method, path, body) {
  const headers = { "x-emulator-token": token() ?? "" };
  if (path === "key") headers.authorization = authorization();
  const answer = await send(`/_emulator/${path}`, { method, headers, body: asJson(body, headers) });
  return answer.headers.get("content-type").startsWith("application/json") ? answer.json() : answer.text();
}

/** Send a request to the API, by an operation's id. */
export async function api(id, { path = {}, body, form } = {}) {
  const operation = state.operations.find((each) => each.id === id);
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
  const headers = { authorization: authorization() };
  return send(state.base + filled, { method: operation.method, headers, body: form ?? asJson(body, headers) });
}

/** Return the model endpoint of an operation, by its id. */
export const endpointOf = (id) => state.operations.find((each) => each.id === id).path.slice(1);

function authorization() {
  const key = byId("api-key").value.trim();
  if (!/^[!-~]+$/.test(key)) throw new RequestError("Type an API key at the top of the page: letters, digits and punctuation, without spaces.");
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
    throw new RequestError("The emulator did not answer.");
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let detail = text.slice(0, 300);
  try {
    detail = JSON.parse(text).detail ?? detail;
  } catch {
    // Not JSON: a fault, or a proxy between the page and the emulator.
  }
  throw new RequestError(`${answer.status}, ${typeof detail === "string" ? detail : JSON.stringify(detail)}`, answer.status);
}

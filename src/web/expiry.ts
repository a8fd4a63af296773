/** Until when an answer counts. */
import { el } from "./dom.ts";
import { moment } from "./format.ts";

export function expiry(expires_at: string): HTMLElement {
  const time = el("time", { text: moment(expires_at, new Date()) });
  time.dateTime = expires_at;
  return el("span", { class: "expiry" }, document.createTextNode("Expires "), time);
}

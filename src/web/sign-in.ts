/**
 * Who is using the page. In development a name is enough; otherwise a token of
 * the operator's identity provider is pasted, and kept in memory only.
 */
import { loadConfig } from "../client/index.ts";
import { button, byId, el } from "./dom.ts";
import { reasonText } from "./format.ts";

const NAME_KEY = "throughline.name";
const TOKEN_TTL_S = 3_600;

const ADJECTIVES = ["quiet", "amber", "brisk", "clever", "gentle", "lucky", "mellow", "sunny"];
const ANIMALS = ["otter", "heron", "lynx", "finch", "marten", "seal", "wren", "ibex"];

export interface Identity {
  /** Shown in the header; absent if the page does not know. */
  readonly name?: string;
  readonly getToken: () => Promise<string>;
}

/**
 * Resolves once somebody has signed in.
 *
 * @param refused why the last token was not accepted
 */
export async function signIn(origin: string, refused?: string): Promise<Identity> {
  const { dev_token_url } = await loadConfig(origin);
  if (dev_token_url === undefined) return { getToken: always(await pastedToken(refused)) };
  const name = guestName();
  return { name, getToken: () => developmentToken(dev_token_url, name) };
}

export function guestName(): string {
  const kept = localStorage.getItem(NAME_KEY);
  if (kept !== null && kept !== "") return kept;
  const name = `${pick(ADJECTIVES)}-${pick(ANIMALS)}-${Math.floor(Math.random() * 900 + 100)}`;
  localStorage.setItem(NAME_KEY, name);
  return name;
}

/** Lets the user take another name; calls `renamed` if it changed. */
export function setUpNameDialog(opener: HTMLButtonElement, renamed: () => void): void {
  const dialog = byId("name-dialog", HTMLDialogElement);
  const field = byId("name", HTMLInputElement);
  opener.addEventListener("click", () => {
    field.value = guestName();
    dialog.showModal();
    field.select();
  });
  byId("name-cancel", HTMLButtonElement).addEventListener("click", () => dialog.close());
  byId("name-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    const name = field.value.trim();
    if (name === "" || name === guestName()) return;
    localStorage.setItem(NAME_KEY, name);
    renamed();
  });
}

async function developmentToken(url: string, sub: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub, ttl_s: TOKEN_TTL_S }),
  });
  const answer: unknown = await response.json();
  const token = typeof answer === "object" && answer !== null && "token" in answer ? answer.token : undefined;
  if (typeof token !== "string") throw new Error(`the sign-in answered ${response.status}`);
  return token;
}

/** The token of the form; asked for once, and again only when it is refused. */
function pastedToken(refused: string | undefined): Promise<string> {
  const section = byId("sign-in", HTMLElement);
  const field = tokenField();
  const form = el("form", {}, labelOf(field), field);
  section.replaceChildren(el("h2", { id: "sign-in-title", text: "Sign in" }), leadText(refused), form);
  section.hidden = false;
  field.focus();
  return new Promise((resolve) => {
    const submit = (event?: Event) => {
      event?.preventDefault();
      const token = field.value.trim();
      if (token === "") return;
      section.hidden = true;
      section.replaceChildren();
      resolve(token);
    };
    form.append(button("Connect", "primary", () => submit()));
    form.addEventListener("submit", submit);
  });
}

function tokenField(): HTMLInputElement {
  const field = el("input", { id: "token" });
  field.type = "password";
  field.autocomplete = "off";
  return field;
}

function labelOf(field: HTMLInputElement): HTMLLabelElement {
  const label = el("label", { text: "Access token" });
  label.htmlFor = field.id;
  return label;
}

function leadText(refused: string | undefined): HTMLElement {
  const lead = "Paste an access token. It stays in this page's memory and is gone when you close it.";
  const paragraph = el("p", {
    text: refused === undefined ? lead : `That did not work: ${reasonText(refused)}. ${lead}`,
  });
  paragraph.setAttribute("role", "status");
  return paragraph;
}

function always(token: string): () => Promise<string> {
  return async () => token;
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "";
}

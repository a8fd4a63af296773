/**
 * Who is using the page. In development a name is enough; otherwise a token of
 * the operator's identity provider is pasted, and kept in memory only.
 */
import { loadConfig } from "../client/index.ts";
import { keep, recall } from "./browser-storage.ts";
import { button, byId, el } from "./dom.ts";
import { reasonText } from "./format.ts";

const NAME_KEY = "throughline.name";
const TOKEN_TTL_S = 3_600;

/** On a half-open network a request may never end by itself. */
const SIGN_IN_TIMEOUT_MS = 8_000;

const ADJECTIVES = ["quiet", "amber", "brisk", "clever", "gentle", "lucky", "mellow", "sunny"];
const ANIMALS = ["otter", "heron", "lynx", "finch", "marten", "seal", "wren", "ibex"];

export interface Identity {
  /** Shown in the header; absent if the page does not know. */
  readonly name?: string;
  readonly getToken: () => Promise<string>;
  /** The token was not accepted: the next one has to be another. */
  readonly refused: (reason: string) => void;
}

/** Resolves once somebody has signed in. */
export async function signIn(origin: string): Promise<Identity> {
  const { dev_token_url } = await loadConfig(origin);
  if (dev_token_url === undefined) return await pastedIdentity();
  const name = guestName();
  // Each attempt gets a fresh token by itself.
  return { name, getToken: () => developmentToken(dev_token_url, name), refused: () => {} };
}

/** A token that was pasted cannot renew itself: the client waits for another one, and keeps what is unsent. */
async function pastedIdentity(): Promise<Identity> {
  let token: Promise<string> = Promise.resolve(await pastedToken(undefined));
  let asking = false;
  return {
    getToken: () => token,
    refused(reason) {
      if (asking) return;
      asking = true;
      token = pastedToken(reason).finally(() => {
        asking = false;
      });
    },
  };
}

export function guestName(): string {
  const kept = recall("localStorage", NAME_KEY) ?? unkept;
  if (kept !== undefined && kept !== "") return kept;
  const name = `${pick(ADJECTIVES)}-${pick(ANIMALS)}-${Math.floor(Math.random() * 900 + 100)}`;
  keepName(name);
  return name;
}

/** The name where storage is blocked: it lasts as long as the page. */
let unkept: string | undefined;

function keepName(name: string): void {
  unkept = name;
  keep("localStorage", NAME_KEY, name);
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
    keepName(name);
    renamed();
  });
}

async function developmentToken(url: string, sub: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub, ttl_s: TOKEN_TTL_S }),
    signal: AbortSignal.timeout(SIGN_IN_TIMEOUT_MS),
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

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "";
}

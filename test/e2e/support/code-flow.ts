/**
 * The authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636) as a person's
 * browser and application go through it, without either: every redirect is
 * followed by hand and every form of the provider is filled in.
 */
import { createHash, randomBytes } from "node:crypto";
import { API, CLIENT, type Provider, REDIRECT_URI } from "./provider.ts";

export interface Tokens {
  readonly id_token: string;
  readonly access_token: string;
}

export interface LoginWish {
  readonly client_id?: string;
  /** True: the provider must ask who it is, even if it knows. */
  readonly anew?: boolean;
}

/** More than a login and a consent take. */
const MAX_STEPS = 12;

/** One person with one browser, whom the provider remembers by its cookies. */
export class Browser {
  readonly #provider: Provider;
  readonly #login: string;
  readonly #cookies = new Map<string, string>();

  constructor(provider: Provider, login: string) {
    this.#provider = provider;
    this.#login = login;
  }

  async signIn({ client_id = CLIENT, anew = false }: LoginWish = {}): Promise<Tokens> {
    const verifier = randomBytes(32).toString("base64url");
    const { authorization_endpoint, token_endpoint } = await this.#discover();
    const address = new URL(authorization_endpoint);
    address.search = `${new URLSearchParams({
      response_type: "code",
      client_id,
      redirect_uri: REDIRECT_URI,
      scope: "openid talk",
      resource: API,
      state: randomBytes(8).toString("base64url"),
      nonce: randomBytes(8).toString("base64url"),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...(anew && { prompt: "login" }),
    })}`;
    const code = await this.#authorize(address);
    return redeem(token_endpoint, { code, client_id, code_verifier: verifier });
  }

  async #discover(): Promise<{ authorization_endpoint: string; token_endpoint: string }> {
    const found = await fetch(`${this.#provider.issuer}/.well-known/openid-configuration`);
    return (await found.json()) as { authorization_endpoint: string; token_endpoint: string };
  }

  /** From page to page, until the provider sends the browser back to the application. */
  async #authorize(from: URL): Promise<string> {
    const state = from.searchParams.get("state");
    let answer = await this.#visit(from);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const { url, location, page } = answer;
      if (location === undefined) answer = await this.#submit(page, url);
      else if (location.href.startsWith(REDIRECT_URI)) return codeIn(location, state);
      else answer = await this.#visit(location);
    }
    throw new Error("the provider sends the browser in circles");
  }

  /** The only form of a page: who one is, or that one agrees. */
  #submit(page: string, url: URL): Promise<Visited> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`no form on ${url.pathname}: ${page}`);
    const fields = prompt === "login" ? { prompt, login: this.#login, password: "any" } : { prompt };
    return this.#visit(new URL(action, url), new URLSearchParams(fields));
  }

  async #visit(url: URL, form?: URLSearchParams): Promise<Visited> {
    const answer = await fetch(url, {
      ...(form && { method: "POST", body: form }),
      redirect: "manual",
      headers: { Cookie: [...this.#cookies].map((cookie) => cookie.join("=")).join("; ") },
    });
    for (const cookie of answer.headers.getSetCookie()) this.#keep(cookie);
    const location = answer.headers.get("Location");
    const page = await answer.text();
    if (answer.status >= 400) throw new Error(`${url.pathname} answered ${answer.status}: ${page}`);
    return { url, page, location: location === null ? undefined : new URL(location, url) };
  }

  /** Names are enough: the provider gives those of other paths other names. */
  #keep(cookie: string): void {
    const [name = "", value = ""] = (cookie.split(";")[0] ?? "").split("=");
    if (value === "") this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

interface Visited {
  readonly url: URL;
  readonly location: URL | undefined;
  readonly page: string;
}

function codeIn({ searchParams }: URL, state: string | null): string {
  const code = searchParams.get("code");
  if (code === null || searchParams.get("state") !== state) throw new Error(`no code: ${searchParams}`);
  return code;
}

async function redeem(url: string, fields: Readonly<Record<string, string>>): Promise<Tokens> {
  const body = { grant_type: "authorization_code", redirect_uri: REDIRECT_URI, resource: API, ...fields };
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(body) });
  if (!answer.ok) throw new Error(`the code was refused: ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

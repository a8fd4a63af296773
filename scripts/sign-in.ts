/** A token from a server in development, as the page gets one. */
import { loadConfig } from "../src/client/index.ts";

interface TokenWish {
  readonly ttl_s?: number;
  readonly permissions?: readonly string[];
}

/** Throws if the server is not in development: a real one needs a real identity provider. */
export async function signIn(url: string, sub: string, more: TokenWish = {}): Promise<string> {
  const { dev_token_url } = await loadConfig(url);
  if (dev_token_url === undefined) throw new Error("this server hands out no development tokens");
  const response = await fetch(dev_token_url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub, ttl_s: 3_600, ...more }),
  });
  const answer: unknown = await response.json();
  if (response.ok && typeof answer === "object" && answer !== null && "token" in answer) {
    if (typeof answer.token === "string") return answer.token;
  }
  throw new Error(`the development sign-in answered ${response.status}`);
}

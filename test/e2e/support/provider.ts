/**
 * A real OpenID provider on this machine: it publishes its keys, signs people in
 * under whatever name they give, can change its keys, and can be away.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import OidcProvider from "oidc-provider";
import { freePort } from "../../../scripts/ports.ts";

export const REDIRECT_URI = "http://127.0.0.1/callback";

/** The `aud` of access tokens: the API they are for (RFC 8707). */
export const API = "https://chat.example/api";

/** Of the ID tokens that are for us. */
export const CLIENT = "chat";

/** Ours as well, with ID tokens that live for seconds. */
export const HASTY_CLIENT = "kiosk";

export const HASTY_TTL_S = 4;

/** Another application of the same provider. */
export const OTHER_CLIENT = "calendar";

const TTL_S = 600;
const JWKS_PATH = "/jwks";

export interface ProviderOptions {
  /** What it signs with; public keys of this kind only are published. */
  readonly algorithm?: "RS256" | "ES256";
}

export class Provider {
  readonly issuer: string;
  readonly #port: number;
  readonly #algorithm: string;
  /** The first one signs. */
  #keys: JWK[] = [];
  #server: Server | undefined;
  #asked = 0;

  constructor(port: number, algorithm: string) {
    this.issuer = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#algorithm = algorithm;
  }

  /** How often its keys were fetched. */
  get asked(): number {
    return this.#asked;
  }

  /** On the port it always has, with the keys it has. */
  async start(): Promise<void> {
    if (this.#keys.length === 0) this.#keys = [await this.#newKey()];
    const server = createServer(this.#counting(this.#provider().callback()));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** From now on it signs with a new key; the older ones are published no longer, or still. */
  async rotate(older: "retired" | "kept"): Promise<void> {
    this.#keys = [await this.#newKey(), ...(older === "kept" ? this.#keys : [])];
    await this.stop();
    await this.start();
  }

  async #newKey(): Promise<JWK> {
    const { privateKey } = await generateKeyPair(this.#algorithm, { extractable: true });
    return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: this.#algorithm, use: "sig" };
  }

  #counting(answer: RequestListener): RequestListener {
    return (request, response) => {
      // Who keeps a connection to a server that is started anew has its next request fail, now and then.
      response.shouldKeepAlive = false;
      if (request.url === JWKS_PATH) this.#asked += 1;
      answer(request, response);
    };
  }

  #provider(): OidcProvider {
    const alg = this.#algorithm;
    return new OidcProvider(this.issuer, {
      jwks: { keys: this.#keys },
      routes: { jwks: JWKS_PATH },
      clients: [CLIENT, HASTY_CLIENT, OTHER_CLIENT].map((id) => publicClient(id, alg)),
      findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
      cookies: { keys: [crypto.randomUUID()] },
      scopes: ["openid", "talk"],
      features: {
        devInteractions: { enabled: true },
        resourceIndicators: { enabled: true, getResourceServerInfo: () => apiWith(alg) },
      },
      ttl: { AccessToken: TTL_S, IdToken: idTokenTtl, Session: 3_600, Grant: 3_600, Interaction: 600 },
    });
  }
}

/** A public client proves by PKCE that who redeems a code is who asked for it (RFC 7636). */
function publicClient(client_id: string, id_token_signed_response_alg: string) {
  return {
    client_id,
    application_type: "native",
    token_endpoint_auth_method: "none",
    redirect_uris: [REDIRECT_URI],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    id_token_signed_response_alg,
    require_auth_time: true,
  };
}

function idTokenTtl(_context: unknown, _token: unknown, { clientId }: { readonly clientId: string }): number {
  return clientId === HASTY_CLIENT ? HASTY_TTL_S : TTL_S;
}

/** Access tokens are JWTs (RFC 9068), which is what makes them of use elsewhere. */
function apiWith(alg: string) {
  return { scope: "talk", audience: API, accessTokenFormat: "jwt", jwt: { sign: { alg } } };
}

export async function startProvider({ algorithm = "RS256" }: ProviderOptions = {}): Promise<Provider> {
  const provider = new Provider(await freePort(), algorithm);
  await provider.start();
  return provider;
}

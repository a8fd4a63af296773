/** Requests of one user to the real Worker. */
import { HOST, send, type Variables } from "./edge.ts";
import { signToken, type TestClaims } from "./tokens.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

export interface Asked {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly claims?: TestClaims;
  /** Put over those of vitest.config.ts. */
  readonly variables?: Variables;
}

export class HttpUser {
  readonly sub: string;

  constructor(sub: string) {
    this.sub = sub;
  }

  async request(method: string, path: string, { body, headers = {}, claims = {} }: Asked): Promise<Request> {
    const type: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
    const authorization = `Bearer ${await signToken({ sub: this.sub, ...claims })}`;
    const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
    return new Request(new URL(path, HOST), {
      method,
      headers: { ...type, Authorization: authorization, ...headers },
      ...(text === undefined ? {} : { body: text }),
    });
  }

  async raw(method: string, path: string, asked: Asked = {}): Promise<Response> {
    return await send(await this.request(method, path, asked), asked.variables);
  }

  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.raw(method, path, asked);
    return { status: response.status, headers: response.headers, body: await response.json() };
  }
}

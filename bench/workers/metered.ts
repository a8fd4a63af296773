/** The product with a meter on its storage: rows of every statement, and alarms, which are billed as rows too. */
import { userId } from "../../src/auth/user-id.ts";
import type { Env } from "../../src/edge/env.ts";
import app, { UserSession as Product } from "./product.ts";

export class UserSession extends Product {
  readonly #meter: Meter;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    const meter = new Meter(ctx.storage);
    super(ctx, env);
    this.#meter = meter;
  }

  /** Rows written since the last call, alarms included. */
  async rows(): Promise<number> {
    return this.#meter.read();
  }
}

interface Metered extends Omit<Env, "USER_SESSION"> {
  readonly USER_SESSION: { getByName(name: string): Env["USER_SESSION"] & { rows(): Promise<number> } };
}

export default {
  async fetch(request: Request, env: Metered & Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/bench/rows") return app.fetch(request, env, ctx);
    const name = await userId("local", searchParams.get("sub") ?? "");
    return new Response(`${await env.USER_SESSION.getByName(name).rows()}`);
  },
};

class Meter {
  readonly #cursors: { readonly rowsWritten: number }[] = [];
  #alarms = 0;

  constructor(storage: DurableObjectStorage) {
    const { sql } = storage;
    const { exec } = sql;
    const { setAlarm } = storage;
    Object.assign(sql, {
      exec: (query: string, ...bindings: unknown[]) => {
        const cursor = exec.call(sql, query, ...bindings);
        this.#cursors.push(cursor);
        return cursor;
      },
    });
    Object.assign(storage, {
      setAlarm: (at: number) => {
        this.#alarms += 1;
        return setAlarm.call(storage, at);
      },
    });
  }

  read(): number {
    const rows = this.#cursors.splice(0).reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
    const alarms = this.#alarms;
    this.#alarms = 0;
    return rows + alarms;
  }
}

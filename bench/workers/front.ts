/** The Worker in front of a bare object: one verified token, one request to the object. As little as is honest. */
import { jwtVerify } from "jose";

export interface BareEnv {
  readonly JWT_SECRET: string;
  readonly USER_SESSION: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

let key: Uint8Array | undefined;

export const front = {
  async fetch(request: Request, env: BareEnv): Promise<Response> {
    const token = request.headers.get("Authorization")?.slice("Bearer ".length) ?? "";
    key ??= new TextEncoder().encode(env.JWT_SECRET);
    const verified = await jwtVerify(token, key, { algorithms: ["HS256"] }).catch(() => undefined);
    const sub = verified?.payload.sub;
    if (sub === undefined) return new Response("who are you?", { status: 401 });
    return env.USER_SESSION.getByName(sub).fetch(request);
  },
};

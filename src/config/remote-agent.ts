/** The variables `AGENT_*`: an agent somewhere else that answers what people say. */
import * as z from "zod/mini";
import { id } from "../protocol/primitives.ts";
import { bearerToken } from "./secrets.ts";
import { isSafeUrl } from "./urls.ts";

/** Where it is, and what it is called here. */
export interface RemoteAgentSettings {
  readonly url: string;
  /** Proves to it who asks; goes there and nowhere else. */
  readonly token?: string | undefined;
  readonly name: string;
}

const URL_RULE = "must be an https URL without user, password or fragment (http only on this machine)";
const NAME_RULE = "must have 1 to 64 characters";
const DEFAULT_NAME = "remote";

export const remoteAgentVariables = {
  AGENT_URL: z.optional(z.string({ error: URL_RULE }).check(z.refine(isSafeUrl, { error: URL_RULE }))),
  AGENT_TOKEN: z.optional(bearerToken),
  AGENT_NAME: z.optional(
    z
      .string({ error: NAME_RULE })
      .check(z.refine((name) => id.safeParse(name).success, { error: NAME_RULE })),
  ),
};

interface Variables {
  readonly AGENT_URL?: string | undefined;
  readonly AGENT_TOKEN?: string | undefined;
  readonly AGENT_NAME?: string | undefined;
}

/** None without an address. */
export function remoteAgentOf(variables: Variables): RemoteAgentSettings | undefined {
  const { AGENT_URL: url, AGENT_TOKEN: token, AGENT_NAME: name = DEFAULT_NAME } = variables;
  return url === undefined ? undefined : { url, token, name };
}

/** An agent that is executed elsewhere, as a session sees it. */
import type { Fed } from "../../protocol/feeding.ts";
import { runRemote } from "./ag-ui-agent.ts";
import type { Fetch, RemoteInput } from "./request.ts";
import type { Asking } from "./translation.ts";
import type { Clock } from "./within.ts";

export interface RemoteAgent {
  readonly name: string;
  readonly version: string;
  /**
   * What it does, as batches for a feed; the last one ends the run, unless `signal`
   * was aborted or it asks something, which it returns. Asks nothing before the first is wanted, and never throws.
   */
  run(input: RemoteInput, signal: AbortSignal): AsyncGenerator<readonly Fed[], Asking | undefined, void>;
}

/** Where the agent is. */
interface Endpoint {
  readonly url: string;
  readonly token?: string | undefined;
  readonly name: string;
}

/** One that speaks AG-UI. Its version is its own affair: nothing is replayed, so nothing depends on it. */
export function agUiAgent(
  { url, token, name }: Endpoint,
  ports: { readonly fetch: Fetch; readonly clock: Clock },
): RemoteAgent {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return {
    name,
    version: "",
    run: (input, signal) => runRemote({ ...ports, url, headers, input, signal }),
  };
}

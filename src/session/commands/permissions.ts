/** What a command needs beyond `chat`, which every connection has. */
import { may, type Principal } from "../../auth/principal.ts";
import { refuse } from "../../protocol/result.ts";

/** @param field what asks for an answer */
export function refuseWithoutAgents(who: Principal, field: string) {
  if (may(who, "agents")) return undefined;
  return refuse("forbidden", "the agents permission is needed for an answer", { field });
}

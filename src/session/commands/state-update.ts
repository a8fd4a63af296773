/** `state_update`: one tab changes what all tabs share, if it is still what that tab knows. */
import type { StateUpdateCommand } from "../../protocol/commands.ts";
import { ok, type Result } from "../../protocol/result.ts";
import { stateConflict } from "../shared-state.ts";
import type { Context } from "./context.ts";
import type { Effect, SharedVersion } from "./dispatch.ts";

export function stateUpdate({ tx, shared }: Context, command: StateUpdateCommand): Result<SharedVersion> {
  const { base_version, patch } = command.payload;
  const before = shared.read();
  if (before.version !== base_version) return stateConflict("payload.base_version", before);
  const version = shared.patch(tx, patch);
  return version.ok ? ok({ type: "shared_version", version: version.value }) : version;
}

/** What its reply says. */
export function stateFacts(effect: Effect) {
  if (effect.type !== "shared_version") throw new TypeError("the inbox points at no version");
  return { version: effect.version };
}

/** What the edge and the session are handed in tests, where nothing else is wanted. */
import type { ProviderPorts } from "../../src/auth/provider-keys.ts";
import { Realms } from "../../src/auth/realms.ts";
import { settingsOf } from "../../src/config/settings.ts";
import type { EdgePorts } from "../../src/edge/env.ts";
import { platformIds } from "../../src/session/platform.ts";
import { SECRET } from "./tokens.ts";

/** No provider answers, no time passes by itself. */
export function providerPorts(over: Partial<ProviderPorts> = {}): ProviderPorts {
  return {
    now: () => Date.now(),
    wait: () => Promise.resolve(),
    fetch: () => Promise.reject(new Error("there is no network here")),
    background: () => {},
    report: () => {},
    ...over,
  };
}

export function edgePorts(over: Partial<EdgePorts> = {}): EdgePorts {
  return { ...providerPorts(), random: platformIds.random, report: () => {}, ...over };
}

export function settings(variables: Readonly<Record<string, unknown>> = {}) {
  const parsed = settingsOf({ JWT_SECRET: SECRET, ...variables });
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}

export function realms(
  variables: Readonly<Record<string, unknown>> = {},
  ports: Partial<ProviderPorts> = {},
): Realms {
  return new Realms(settings(variables), providerPorts(ports));
}

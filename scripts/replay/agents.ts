/** Which agent is stepped: one of this deployment by its name, or what a module exports. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { advisor } from "../../src/agents/advisor/advisor.ts";
import type { Agent } from "../../src/agents/agent.ts";
import { Unusable } from "./recording.ts";

const OURS: readonly Agent[] = [advisor];

/** @throws Unusable */
export async function agentFor(name: string, path: string | undefined): Promise<Agent> {
  const known = path === undefined ? OURS : await exportedBy(path);
  const named = known.find((agent) => agent.name === name);
  const [first, ...others] = path === undefined ? [] : known;
  const agent = named ?? (others.length === 0 ? first : undefined);
  if (agent !== undefined) return agent;
  if (path === undefined) throw new Unusable(`no agent here is called ${name}; name its module with --agent`);
  throw new Unusable(
    first === undefined ? `${path} exports no agent` : `${path} exports no agent called ${name}`,
  );
}

async function exportedBy(path: string): Promise<Agent[]> {
  const url = pathToFileURL(resolve(path)).href;
  const module: unknown = await import(url).catch((cause: unknown) => {
    throw new Unusable(`${path} cannot be loaded`, { cause });
  });
  return typeof module === "object" && module !== null ? Object.values(module).filter(isAgent) : [];
}

function isAgent(value: unknown): value is Agent {
  if (typeof value !== "object" || value === null) return false;
  if (!("name" in value && "version" in value && "run" in value)) return false;
  return (
    typeof value.name === "string" && typeof value.version === "string" && typeof value.run === "function"
  );
}

/** Says aloud, for screen readers, what the eye sees happening: few words, only at turning points. */
import type { Client } from "../client/index.ts";

export function announce(client: Client, region: HTMLElement): void {
  const say = (text: string) => {
    region.textContent = text;
  };
  client.on("agent_started", () => say("Working on an answer."));
  client.on("tool_executing", ({ payload }) => say(`Using ${nameOf(payload.tool_name)}.`));
  client.on("tool_completed", ({ payload }) => {
    if (payload.status === "denied") say(`${nameOf(payload.tool_name)} was not used.`);
  });
  client.on("run_waiting", ({ payload }) => {
    if (payload.kind === "approval") say(`Your approval is needed for ${nameOf(payload.tool_name)}.`);
  });
  client.on("final_report", ({ payload }) =>
    say(`Report with ${payload.report.recommendations.length} recommendations.`),
  );
  client.on("agent_completed", ({ payload }) =>
    say(payload.status === "succeeded" ? "The answer is complete." : `The run has ${payload.status}.`),
  );
}

function nameOf(tool_name = "a tool"): string {
  return tool_name.replaceAll("_", " ");
}

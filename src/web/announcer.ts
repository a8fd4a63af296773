/** Says aloud, for screen readers, what the eye sees happening: few words, only at turning points. */
import type { Client } from "../client/index.ts";

export function announce(client: Client, region: HTMLElement): void {
  const say = (text: string) => {
    region.textContent = text;
  };
  client.on("agent_started", () => say("Working on an answer."));
  client.on("tool_executing", ({ payload }) => say(`Using ${payload.tool_name.replaceAll("_", " ")}.`));
  client.on("final_report", ({ payload }) =>
    say(`Report with ${payload.report.recommendations.length} recommendations.`),
  );
  client.on("agent_completed", ({ payload }) =>
    say(payload.status === "succeeded" ? "The answer is complete." : `The run has ${payload.status}.`),
  );
}

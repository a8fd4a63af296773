/** The documented answers are the ones that are given. */
import { describe, expect, test } from "vitest";
import docs from "../../../docs/advisor.md?raw";
import { advisor } from "../../../src/agents/advisor/advisor.ts";
import type { HistoryMessage } from "../../../src/agents/agent.ts";
import { ask, drive } from "../../support/drive-agent.ts";

const FILES = import.meta.glob<string>("../../fixtures/usage/*", {
  query: "?raw",
  import: "default",
  eager: true,
});

const SAMPLES = [...docs.matchAll(/<!-- sample: (.+?)(?: \| data: (\S+))? -->\n([\s\S]*?)<!-- end -->/g)].map(
  ([, questions = "", file, answer = ""]) => ({ questions, file, answer }),
);

describe("docs/advisor.md", () => {
  test("[G21] has three samples", () => {
    expect(SAMPLES).toHaveLength(3);
  });

  test.each(SAMPLES)("[G21] shows what is answered: $questions", async ({ questions, file, answer }) => {
    const history: HistoryMessage[] = [];
    const data = file === undefined ? {} : { data: { text: FILES[`../../${file.replace("test/", "")}`] } };
    let last = "";
    for (const question of questions.split(" → ")) {
      last = (await drive(advisor, ask(question, { history: [...history], ...data }))).text;
      history.push({ role: "user", content: question }, { role: "assistant", content: last });
    }
    const plain = answer.replaceAll(/^> ?/gm, "").trim();
    expect(plain, "node scripts/advise.ts --docs writes them anew").toBe(last.trim().replaceAll(/ +$/gm, ""));
  });

  test("[G21] names every tool", () => {
    for (const name of ["parse_usage", "detect_anomalies", "selfhost_vs_api", "rank_recommendations"])
      expect(docs).toContain(`| \`${name}\` |`);
  });
});

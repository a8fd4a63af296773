import { describe, expect, test } from "vitest";
import type { Wait } from "../../src/client/index.ts";
import { cost, failureText, foldedAt, moment } from "../../src/web/format.ts";
import { usageText } from "../../src/web/usage-text.ts";
import { argsText, plainly, recordText, waitText } from "../../src/web/wait-text.ts";

/** Local time, as is what the reader sees. */
const NOW = new Date(2026, 10, 21, 9, 0);
const AT = new Date(2026, 10, 21, 14, 30).toISOString();

function wait(kind: Wait["kind"], more: Partial<Wait> = {}): Wait {
  return { wait_id: "w1", kind, expires_at: AT, ...more };
}

/** Which kind of space stands before AM and PM is the platform's choice. */
function spaced(text: string): string {
  return text.replace(/\s/g, " ");
}

describe("a wait", () => {
  test.each<[string, Wait]>([
    ["Waiting until 2:30 PM.", wait("timer")],
    ["Waiting for invoice paid (until 2:30 PM at the latest).", wait("signal", { name: "invoice_paid" })],
    ["Waiting for a signal: the bank (until 2:30 PM at the latest).", wait("signal", { reason: "the bank" })],
    [
      "Waiting for an app that can run locate (until 2:30 PM at the latest).",
      wait("client_tool", { tool_name: "locate" }),
    ],
  ])("[W15] is said in one line: %s", (text, waits) => {
    expect(spaced(waitText({ wait: waits }, NOW))).toBe(text);
  });

  test("[W15] that is over is said only if it came to nothing", () => {
    const signal = wait("signal", { name: "invoice_paid" });
    expect(waitText({ wait: signal, outcome: "answered" }, NOW)).toBe("");
    expect(waitText({ wait: signal, outcome: "unanswered" }, NOW)).toBe("");
    expect(waitText({ wait: wait("timer"), outcome: "expired" }, NOW)).toBe("");
    expect(waitText({ wait: signal, outcome: "expired" }, NOW)).toBe(
      "Waited for invoice paid, which did not come in time.",
    );
  });

  test("[W13] [W14] that was an approval says how it ended, and that another answer counted", () => {
    const late = { verdict: "approved", problem: "too late", late: true } as const;
    expect(recordText("approved", undefined)).toBe("Approved");
    expect(recordText("denied", { verdict: "denied" })).toBe("Denied");
    expect(recordText("denied", late)).toBe("Denied by another answer");
    expect(recordText("approved", late)).toBe("Approved");
    // The answer that counted can be known before the refusal of the other is.
    expect(recordText("denied", { verdict: "approved" })).toBe("Denied by another answer");
    expect(recordText("expired", late)).toBe("Expired");
    expect(recordText("unanswered", undefined)).toBe("Not answered");
  });

  test("[W13] whose arguments are not known says nothing that could be agreed to", () => {
    expect(argsText(undefined)).toBeUndefined();
    expect([argsText({}), argsText(null)]).toEqual(Array(2).fill("It has no arguments."));
    expect([argsText([]), argsText(0), argsText(false)]).toEqual(["[]", "0", "false"]);
    expect(argsText({ to: "a\u200Bb" })).toBe('{\n  "to": "a\\u{200b}b"\n}');
    expect(argsText("{}")).toBe("{}");
  });

  test("[W13] shows arguments as they are, those included that show nothing", () => {
    expect(plainly('{\n  "to": "Zoë 👍"\n}')).toBe('{\n  "to": "Zoë 👍"\n}');
    expect(plainly("pay \u202Etxt.exe")).toBe("pay \\u{202e}txt.exe");
    expect(plainly("a\u200Bb\uFEFF\u00AD")).toBe("a\\u{200b}b\\u{feff}\\u{00ad}");
    expect(plainly("\u3164\u0085\u2028\u034F")).toBe("\\u{3164}\\u{0085}\\u{2028}\\u{034f}");
    expect(plainly("\u2764\uFE0F\tא")).toBe("\u2764\uFE0F\tא");
    expect(plainly("\u{E0041}")).toBe("\\u{e0041}");
  });
});

describe("in words", () => {
  test("[W13] a time has its date where that is another, and is shown as it came where it is none", () => {
    expect(spaced(moment(new Date(2026, 10, 22, 0, 5).toISOString(), NOW))).toBe("Nov 22, 12:05 AM");
    expect(spaced(moment(new Date(2027, 0, 2, 0, 5).toISOString(), NOW))).toBe("Jan 2, 2027, 12:05 AM");
    expect(moment("soon", NOW)).toBe("soon");
  });

  test("[W16] what an answer has cost is what all models have, as far as it is known", () => {
    const one = { model: "a", total_tokens: 1200, cost_usd: 0.0021 };
    expect(usageText([one, { model: "b", total_tokens: 34, cost_usd: 0.01 }])).toBe("1,234 tokens · $0.0121");
    expect(usageText([one, { model: "b", total_tokens: 34 }])).toBe("1,234 tokens");
    expect(usageText([{ ...one, estimated: true }])).toBe("about 1,200 tokens · $0.0021");
    expect(usageText([{ model: "a" }])).toBe("");
    expect(usageText([{ total_tokens: "many" }])).toBe("");
    expect(usageText(undefined)).toBe("");
    expect([cost(0), cost(0.00001), cost(12.3456)]).toEqual(["$0.00", "under $0.0001", "$12.35"]);
  });

  test("[W16] a failure ends with one full stop", () => {
    expect(failureText("the model is gone.")).toBe(failureText("the model is gone"));
    expect(failureText("the model is gone")).toContain("The run failed: the model is gone. ");
  });

  test("[W16] a long thought begins with its first line, or with as many of its words as fit on one", () => {
    expect(foldedAt("First.\nSecond.\nThird.")).toEqual(["First.", "Second.\nThird."]);
    const words = "word ".repeat(40).trim();
    expect(foldedAt(words)).toEqual(["word ".repeat(20).trim(), "word ".repeat(20).trim()]);
    expect(foldedAt(` ${"x".repeat(150)}`)).toEqual(["x".repeat(100), "x".repeat(50)]);
    expect(foldedAt(`${"x".repeat(99)}👍👍`)).toEqual(["x".repeat(99), "👍👍"]);
    expect(foldedAt("")).toEqual(["", ""]);
  });
});

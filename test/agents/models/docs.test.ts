import { describe, expect, test } from "vitest";
import page from "../../../docs/models.md?raw";
import { FAILURES } from "../../../src/agents/models/failure.ts";
import { MAX_OUTPUT_CHARS } from "../../../src/agents/models/heard.ts";
import { MAX_ANSWER_BYTES, MAX_ERROR_BYTES } from "../../../src/agents/models/openai-compatible.ts";
import { MAX_EVENT_CHARS } from "../../../src/agents/models/sse.ts";
import { MAX_CALLS } from "../../../src/agents/models/tool-calls.ts";

describe("the page on models", () => {
  test("[O16] has every failure, with its message and whether it is tried again", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \| [^|]+ \| (yes|no) \|$/gm)];
    const stated = rows.map(([, code, message, retried]) => [
      code,
      { message, retryable: retried === "yes" },
    ]);
    expect(Object.fromEntries(stated)).toEqual(FAILURES);
  });

  test("[O16] has every limit of size", () => {
    const sizes = page.slice(page.indexOf("## Sizes"), page.indexOf("## The window"));
    const stated = [...sizes.matchAll(/^\| [^|]+ \| ([\d,]+)/gm)].map((match) =>
      Number(match[1]?.replaceAll(",", "")),
    );
    expect(stated).toEqual([MAX_EVENT_CHARS, MAX_OUTPUT_CHARS, MAX_ANSWER_BYTES, MAX_ERROR_BYTES, MAX_CALLS]);
  });
});

import { describe, expect, test } from "vitest";
import protocolPage from "../../docs/protocol.md?raw";
import { canonicalJson } from "../../src/protocol/canonical.ts";
import { COMMANDS } from "../../src/protocol/commands.ts";
import { ERRORS } from "../../src/protocol/errors.ts";
import { EVENTS } from "../../src/protocol/events.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { fitsBytes, utf8Length } from "../../src/protocol/primitives.ts";
import { CLOSE_CODES } from "../../src/protocol/pure/close-codes.ts";
import { PING_TEXT, PONG_TEXT } from "../../src/protocol/pure/constants.ts";

describe("the protocol page", () => {
  test.each(Object.entries(ERRORS))(
    "[P6] lists the error %s with its status, close code and retry",
    (code, rule) => {
      const row = `| \`${code}\` | ${rule.status} | ${CLOSE_CODES[rule.close]} ${rule.close} | ${rule.retryable ? "yes" : "no"} |`;
      expect(protocolPage).toContain(row);
    },
  );

  test.each(Object.entries(CLOSE_CODES))("[P7] lists the close code %s", (name, code) => {
    expect(protocolPage).toContain(`| ${code} | \`${name}\` |`);
  });

  test.each([...Object.keys(EVENTS), ...Object.keys(COMMANDS)])("[P8] has a section on %s", (type) => {
    expect(protocolPage).toMatch(new RegExp(`^#+ .*\`${type}\``, "m"));
  });

  test.each(Object.entries(DEFAULT_LIMITS))("[P9] states the limit %s", (name, value) => {
    expect(protocolPage).toContain(`| \`${name}\` | ${value} |`);
  });

  test("[P5] states the exact bytes of ping and pong", () => {
    expect(protocolPage).toContain(PING_TEXT);
    expect(protocolPage).toContain(PONG_TEXT);
  });
});

describe("canonical JSON", () => {
  test("[Q5] sorts keys at every depth and keeps the order of arrays", () => {
    expect(canonicalJson({ b: [2, 1], a: { d: 1, c: null } })).toBe('{"a":{"c":null,"d":1},"b":[2,1]}');
    expect(canonicalJson({ a: undefined })).toBe("{}");
    expect(canonicalJson(undefined)).toBe("null");
    expect(canonicalJson("text")).toBe('"text"');
  });
});

describe("byte limits", () => {
  test.each([
    ["", 0],
    ["abc", 3],
    ["é", 2],
    ["👍", 4],
    ["\ud800", 3],
  ])("[P10] %j counts %i bytes, and fits a limit of exactly that", (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
    expect(fitsBytes(text, bytes)).toBe(true);
    expect(bytes === 0 || !fitsBytes(text, bytes - 1)).toBe(true);
  });
});

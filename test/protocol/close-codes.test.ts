import { describe, expect, test } from "vitest";
import { CLOSE_CODES, closeAction } from "../../src/protocol/pure/close-codes.ts";

describe("close codes", () => {
  test.each([
    [CLOSE_CODES.protocol_violation, "stop"],
    [CLOSE_CODES.signed_out, "stop"],
    [CLOSE_CODES.token_expired, "renew_token"],
    [CLOSE_CODES.token_invalid, "renew_token"],
    [CLOSE_CODES.restarting, "retry"],
    [CLOSE_CODES.auth_unavailable, "retry"],
    [CLOSE_CODES.state_invalidated, "reset"],
  ] as const)("[P7] %i makes a client %s", (code, action) => {
    expect(closeAction(code)).toBe(action);
  });

  test.each([
    [4042, "stop"],
    [4199, "renew_token"],
    [4250, "retry"],
    [4399, "reset"],
    [1006, "retry"],
    [1012, "retry"],
    [4400, "retry"],
  ] as const)("[P7] %i, which no client knows, makes it %s", (code, action) => {
    expect(closeAction(code)).toBe(action);
  });
});

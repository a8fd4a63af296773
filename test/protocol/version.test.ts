import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { clientFrame } from "../../src/protocol/commands.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/pure/constants.ts";
import { serverFrame } from "../../src/protocol/server-frames.ts";
import { HISTORY, MIN_PROTOCOL_VERSION } from "../../src/protocol/version.ts";

/** Of the JSON Schema of every frame. A frame changed? Then decide about the version, and say so in its history. */
const FINGERPRINT = "188886843e8f2e42b11073413ec21c9780abb012cd712bc5b8cbfba63e6689bc";

async function fingerprint(): Promise<string> {
  const schemas = JSON.stringify([z.toJSONSchema(clientFrame), z.toJSONSchema(serverFrame, { io: "input" })]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(schemas));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("the version", () => {
  test("[P11] a frame cannot change without the fingerprint", async () => {
    expect(await fingerprint()).toBe(FINGERPRINT);
  });

  test("[P11] has a line of history for every number and a floor it still speaks", () => {
    expect(HISTORY).toHaveLength(PROTOCOL_VERSION);
    expect(MIN_PROTOCOL_VERSION).toBeGreaterThanOrEqual(1);
    expect(MIN_PROTOCOL_VERSION).toBeLessThanOrEqual(PROTOCOL_VERSION);
  });
});

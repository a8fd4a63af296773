/** The body of a request as JSON, read no further than its limit. */
import { ok, type Result, refuse } from "../protocol/result.ts";

export async function readJson(request: Request, limit: number): Promise<Result<unknown>> {
  if (!isJson(request.headers.get("Content-Type"))) {
    return refuse("invalid_payload", "Content-Type must be application/json", { field: "Content-Type" });
  }
  const bytes = await readBytes(request.body, limit);
  if (bytes === undefined) return refuse("too_large", `the body may have ${limit} bytes`, { limit });
  return parse(bytes);
}

/** A page cannot send this type to another origin without being asked first (Fetch standard, §2.2.2). */
function isJson(type: string | null): boolean {
  return type?.split(";")[0]?.trim().toLowerCase() === "application/json";
}

async function readBytes(body: ReadableStream<Uint8Array> | null, limit: number) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return new Blob(chunks).arrayBuffer();
}

function parse(bytes: ArrayBuffer): Result<unknown> {
  try {
    return ok(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch {
    return refuse("bad_json", "the body is not JSON");
  }
}

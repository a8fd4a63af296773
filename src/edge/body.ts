/** The body of a request, read no further than its limit. */
import { readBytes } from "../protocol/bytes.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

/** @param type the media type it must have (RFC 9110 §8.3) */
export async function readText(request: Request, type: string, limit: number): Promise<Result<string>> {
  if (mediaType(request.headers.get("Content-Type")) !== type) {
    return refuse("invalid_payload", `Content-Type must be ${type}`, { field: "Content-Type" });
  }
  const bytes = await readBytes(request.body, limit);
  if (bytes === undefined) return refuse("too_large", `the body may have ${limit} bytes`, { limit });
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return refuse("bad_json", "the body is not UTF-8");
  }
}

function mediaType(type: string | null): string | undefined {
  return type?.split(";")[0]?.trim().toLowerCase();
}

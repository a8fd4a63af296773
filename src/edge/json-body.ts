/** The body of a request as JSON. */
import { ok, type Result, refuse } from "../protocol/result.ts";
import { readText } from "./body.ts";

/** A page cannot send this type to another origin without being asked first (Fetch standard, §2.2.2). */
const JSON_TYPE = "application/json";

export async function readJson(request: Request, limit: number): Promise<Result<unknown>> {
  const text = await readText(request, JSON_TYPE, limit);
  if (!text.ok) return text;
  try {
    return ok(JSON.parse(text.value));
  } catch {
    return refuse("bad_json", "the body is not JSON");
  }
}

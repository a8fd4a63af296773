/** The body of a request as a form, which is what OAuth speaks (RFC 6749 §3.2). */
import { ok, type Result, refuse } from "../protocol/result.ts";
import { readText } from "./body.ts";

const FORM_TYPE = "application/x-www-form-urlencoded";

/** Parameters must not be there twice (RFC 6749 §3.2); empty ones count as absent. */
export async function readForm(
  request: Request,
  limit: number,
): Promise<Result<Readonly<Record<string, string>>>> {
  const text = await readText(request, FORM_TYPE, limit);
  if (!text.ok) return text;
  const fields = [...new URLSearchParams(text.value)].filter(([, value]) => value !== "");
  const names = fields.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return ok(Object.fromEntries(fields));
  // Its name may be anything, and what was sent is never repeated.
  return refuse("invalid_payload", "a parameter is there twice", { field: "body" });
}

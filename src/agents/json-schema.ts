/**
 * A JSON Schema as a Standard Schema, for tools whose schemas come as data. Not
 * part of a Worker that does not import it: docs/decisions/0017-json-schema.md.
 */
import { Validator } from "@cfworker/json-schema";
import type { JsonSchema, Schema } from "./schema.ts";

/**
 * A value that fits is handed on as it is: defaults are not filled in, and formats
 * are checked. The draft is 2020-12.
 * @throws TypeError if the schema is not JSON, or names a schema that is not in it
 */
export function jsonSchema<T = unknown>(schema: JsonSchema): Schema<T> {
  // A copy: the library writes into the schemas it is given.
  const validator = new Validator(JSON.parse(JSON.stringify(schema)), "2020-12");
  for (const target of references(schema)) {
    if (target !== "#" && !target.startsWith("#/")) throw new TypeError(`${target} is not within the schema`);
  }
  return {
    "~standard": {
      version: 1,
      vendor: "throughline",
      validate: (value) => judged<T>(validator, value),
      jsonSchema: { input: () => schema },
    },
  };
}

/** Says where and which rule: what the library says besides repeats the value. */
function judged<T>(validator: Validator, value: unknown) {
  const { valid, errors } = validator.validate(value);
  if (valid) return { value: value as T };
  // The innermost comes last; those before it say that something within is wrong.
  const { instanceLocation, keyword, error } = errors.at(-1) ?? NOWHERE;
  const message = TOLD.includes(keyword) ? error : `does not keep to its ${keyword}`;
  return { issues: [{ message, path: pathOf(instanceLocation) }] };
}

const NOWHERE = { instanceLocation: "#", keyword: "schema", error: "" };

/** Rules whose messages name nothing but names of the schema and types. */
const TOLD: readonly string[] = ["required", "type"];

/** A JSON Pointer in a fragment (RFC 6901 §6). */
function pathOf(location: string): readonly string[] {
  return location
    .split("/")
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}

function references(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" && typeof inner === "string" ? [inner] : references(inner),
  );
}

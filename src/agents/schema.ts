/** Validating with any Standard Schema (https://standardschema.dev), so tools are not tied to one library. */

export interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

type Validation<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** A JSON Schema, as data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The part of Standard Schema v1 that is needed here. */
export interface Schema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validation<T> | Promise<Validation<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
    /** Standard JSON Schema: what zod itself has, and `jsonSchema` of ours; zod/mini has a function of its own instead. */
    readonly jsonSchema?:
      | { readonly input: (options: { readonly target: "draft-2020-12" }) => JsonSchema }
      | undefined;
  };
}

/** A value did not fit its schema. The message names the field and the rule, never the value. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** Returns `value` as `T`, or throws a `SchemaError`. Asynchronous schemas are refused: replay must be synchronous. */
export function validate<T>(schema: Schema<T>, value: unknown, what: string): T {
  const outcome = schema["~standard"].validate(value);
  if (outcome instanceof Promise) throw new SchemaError(`${what}: asynchronous schemas are not supported`);
  if (outcome.issues === undefined) return outcome.value;
  const first = outcome.issues[0];
  const path = (first?.path ?? [])
    .map((part) => String(typeof part === "object" ? part.key : part))
    .join(".");
  throw new SchemaError(`${what}: ${path === "" ? "" : `${path}: `}${first?.message ?? "invalid"}`);
}

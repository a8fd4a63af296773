/**
 * `GET /v1/openapi.json` (OpenAPI 3.1), from the schemas that check requests and
 * frames. Made when the Worker is built and served as a file: it costs the Worker
 * nothing.
 */
import * as z from "zod/mini";
import { PROTOCOL_VERSION } from "../protocol/pure/constants.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { SCHEMAS, type SchemaName } from "./schemas.ts";

export function openapi() {
  return {
    openapi: "3.1.0",
    info: {
      title: "Throughline",
      version: String(PROTOCOL_VERSION),
      description: "Everything a socket can do that makes sense without one.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths: pathsOf(OPERATIONS),
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: schemas(),
    },
  };
}

function pathsOf(operations: readonly Operation[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationObject(operation) };
  }
  return paths;
}

function operationObject(operation: Operation) {
  const { operationId, summary, permission, parameters = [], body, form, answers, streams } = operation;
  const needs = permission === undefined ? "" : `Needs the permission \`${permission}\`.`;
  return {
    operationId,
    summary,
    ...(needs === "" ? { security: [] } : { description: needs }),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(parameterObject) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, form) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, schema]) => [
          status,
          { description: schema, content: { ...contentOf(schema), ...(streams ? STREAM : {}) } },
        ]),
      ),
      default: { description: "Refused", content: contentOf("Error") },
    },
  };
}

function parameterObject({ schema, description, ...where }: NonNullable<Operation["parameters"]>[number]) {
  const required = where.in === "path" ? { required: true } : {};
  return { ...where, ...required, ...(description === undefined ? {} : { description }), schema };
}

const STREAM = { "text/event-stream": { schema: { type: "string" } } } as const;

function contentOf(schema: SchemaName, form?: true) {
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  return { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } };
}

/** Rules that JSON Schema cannot say, such as a length in bytes, are in docs/protocol.md. */
function schemas(): Record<string, unknown> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: "any",
    io: "input",
  });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _draft, $id: _id, ...schema }]) => [name, schema]),
  );
}

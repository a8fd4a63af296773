/** The document at `GET /v1/config`: everything a client needs to know before it connects. */
import * as z from "zod/mini";
import { count } from "./primitives.ts";
import { PROTOCOL_VERSION, SUBPROTOCOL } from "./pure/constants.ts";

export const discovery = z.object({
  protocol: z.object({ name: z.literal(SUBPROTOCOL), version: z.literal(PROTOCOL_VERSION) }),
  websocket: z.object({
    /** Absolute `ws:` or `wss:` URL; `client_id`, `n`, `epoch`, `since` and `state_version` go into its query. */
    url: z.string(),
    subprotocols: z.array(z.string()),
  }),
  auth: z.object({
    /** Where a credential may be: `subprotocol` or `header`, or, as a `ticket`, in the query. */
    methods: z.array(z.enum(["subprotocol", "header", "ticket"])),
    /** Put before the token to make its subprotocol. */
    subprotocol_prefixes: z.array(z.string()),
    /** Where a ticket is had for a token. */
    ticket_url: z.string(),
    /** Only with identity providers: where one of their tokens is exchanged for one of ours. */
    exchange_url: z.optional(z.string()),
    /** Only in development: where a token can be had for the asking. */
    dev_token_url: z.optional(z.string()),
  }),
  heartbeat: z.object({ interval_ms: count, timeout_ms: count, ping: z.string(), pong: z.string() }),
  limits: z.record(z.string(), z.number().check(z.gte(0))),
  events: z.array(z.string()),
  commands: z.array(z.string()),
  close_codes: z.record(z.string(), count),
});

export type Discovery = z.infer<typeof discovery>;

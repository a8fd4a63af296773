/** `GET /health`: whether this Worker can serve at all; reaches no object. */
import type { Handler } from "hono";
import { settingsOf } from "../config/settings.ts";
import { PROTOCOL_VERSION } from "../protocol/pure/constants.ts";
import { json } from "./answers.ts";
import type { Edge } from "./env.ts";
import { refuseHttp } from "./refusals.ts";

export const healthHandler: Handler<Edge> = (c) => {
  const settings = settingsOf(c.env);
  return settings.ok ? json({ status: "ok", protocol: PROTOCOL_VERSION }) : refuseHttp(settings.refusal);
};

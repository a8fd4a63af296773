/** Frames as a server would send them. */
import type { Event } from "../../../src/protocol/events.ts";
import type { ConnectionEstablished } from "../../../src/protocol/greeting.ts";
import { PING_TEXT, PONG_TEXT } from "../../../src/protocol/pure/constants.ts";
import type { StateSnapshot } from "../../../src/protocol/stream.ts";

const AT = "2026-11-21T00:00:00.000Z";

export function greeting(payload: Partial<ConnectionEstablished["payload"]> = {}): ConnectionEstablished {
  return {
    type: "connection_established",
    payload: {
      protocol: 1,
      user_id: "u_1",
      connection_id: "c_1",
      client_id: "client",
      epoch: "e1",
      head_seq: 0,
      floor_seq: 1,
      resume: "fresh",
      replay: null,
      heartbeat: { interval_ms: 25_000, timeout_ms: 10_000, ping: PING_TEXT, pong: PONG_TEXT },
      token_expires_in_ms: 3_600_000,
      server_time: AT,
      permissions: ["chat", "agents"],
      plan: "free",
      limits: {},
      ...payload,
    },
  };
}

export function snapshot(as_of_seq: number, payload: Partial<StateSnapshot["payload"]> = {}): StateSnapshot {
  return {
    type: "state_snapshot",
    payload: {
      as_of_seq,
      threads: [],
      messages: [],
      runs: [],
      notifications: [],
      version: 0,
      shared: {},
      ...payload,
    },
  };
}

export function userMessage(seq: number): Event {
  return {
    type: "user_message",
    seq,
    payload: {
      message_id: `m${seq}`,
      thread_id: "main",
      parent_message_id: null,
      run_id: "r1",
      content: `message ${seq}`,
      client_id: "client",
      id: `id${seq}`,
      timestamp: AT,
    },
  };
}

export function thought(seq: number): Event {
  return {
    type: "agent_thinking",
    seq,
    payload: {
      run_id: "r1",
      thread_id: "main",
      agent_name: "advisor",
      run_seq: seq,
      timestamp: AT,
      step: seq,
      thought: `thought ${seq}`,
    },
  };
}

export function completed(seq: number, content: string): Event {
  return {
    type: "agent_completed",
    seq,
    payload: {
      run_id: "r1",
      thread_id: "main",
      agent_name: "advisor",
      run_seq: seq,
      timestamp: AT,
      message_id: "a1",
      parent_message_id: "m1",
      status: "succeeded",
      content,
      finish_reason: "stop",
      usage: [],
      attempts: 1,
      duration_ms: 5,
    },
  };
}

export function delta(offset: number, text: string) {
  return {
    type: "partial_result",
    payload: {
      run_id: "r1",
      thread_id: "main",
      agent_name: "advisor",
      message_id: "a1",
      attempt: 1,
      offset,
      delta: text,
    },
  };
}

export function messageAck(reply_to: string, seq: number) {
  return {
    type: "message_ack",
    reply_to,
    payload: { seq, message_id: `m${seq}`, thread_id: "main", duplicate: false },
  };
}

export function commandAck(reply_to: string) {
  return { type: "command_ack", reply_to, payload: { duplicate: false } };
}

export function refusal(code: string, more: object = {}, reply_to?: string) {
  const payload = { code, message: "refused", retryable: false, fatal: false, ...more };
  return { type: "error", ...(reply_to === undefined ? {} : { reply_to }), payload };
}

/** The document of a server at `ws://server.test`. */
export function config() {
  return {
    protocol: { name: "throughline.v1", version: 1 },
    websocket: { url: "ws://server.test/v1/ws", subprotocols: ["throughline.v1"] },
    auth: { methods: ["subprotocol", "header"], subprotocol_prefixes: ["jwt.", "bearer."] },
    heartbeat: { interval_ms: 25_000, timeout_ms: 10_000, ping: PING_TEXT, pong: PONG_TEXT },
    limits: {},
    events: [],
    commands: [],
    close_codes: {},
  };
}

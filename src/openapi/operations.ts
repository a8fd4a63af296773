/** Every route of the HTTP API: who may call it, with what, and what it answers. Prose is in docs/protocol.md. */
import type { Permission } from "../protocol/greeting.ts";
import type { SchemaName } from "./schemas.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Readonly<Record<string, unknown>>;
  readonly description?: string;
}

export interface Operation {
  readonly operationId: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly path: string;
  readonly summary: string;
  /** Absent: anybody. */
  readonly permission?: Permission;
  readonly parameters?: readonly Parameter[];
  readonly body?: SchemaName;
  /** Of the body; JSON unless it says otherwise. */
  readonly form?: true;
  readonly answers: Readonly<Record<string, SchemaName>>;
  /** Answers with an event stream, too, where it is asked for. */
  readonly streams?: true;
}

const text = { type: "string" } as const;
const anId = { type: "string", minLength: 1, maxLength: 64 } as const;
const flag = { type: "boolean", default: false } as const;

function whole(minimum: number, maximum?: number, otherwise?: number) {
  return {
    type: "integer",
    minimum,
    ...(maximum === undefined ? {} : { maximum }),
    ...(otherwise === undefined ? {} : { default: otherwise }),
  };
}

function inPath(name: string): Parameter {
  return { name, in: "path", schema: anId };
}

function inQuery(name: string, schema: Readonly<Record<string, unknown>>, description?: string): Parameter {
  return { name, in: "query", schema, ...(description === undefined ? {} : { description }) };
}

const USER: Parameter = {
  name: "user_id",
  in: "path",
  schema: { type: "string", pattern: "^u_[a-z2-7]{52}$" },
};
const KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  schema: anId,
  description: "The same request under the same key has one effect.",
};
const WAIT = inQuery("wait", flag, "Answer with the finished answer, if it comes within 55 s.");

export const OPERATIONS: readonly Operation[] = [
  {
    operationId: "getHealth",
    method: "get",
    path: "/health",
    summary: "Whether the Worker can serve",
    answers: { 200: "Health" },
  },
  {
    operationId: "getConfig",
    method: "get",
    path: "/v1/config",
    summary: "What a client must know before it connects",
    answers: { 200: "Discovery" },
  },
  {
    operationId: "listThreads",
    method: "get",
    path: "/v1/threads",
    summary: "Your threads, newest first",
    permission: "chat",
    parameters: [inQuery("before", whole(1)), inQuery("limit", whole(1, 1_000, 100))],
    answers: { 200: "ThreadPage" },
  },
  {
    operationId: "createThread",
    method: "post",
    path: "/v1/threads",
    summary: "Makes a thread",
    permission: "chat",
    parameters: [KEY],
    body: "NewThread",
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "updateThread",
    method: "patch",
    path: "/v1/threads/{thread_id}",
    summary: "Names a thread, or shows another of its branches",
    permission: "chat",
    parameters: [inPath("thread_id"), KEY],
    body: "ThreadChange",
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "deleteThread",
    method: "delete",
    path: "/v1/threads/{thread_id}",
    summary: "Deletes a thread and all that was said in it, for good",
    permission: "chat",
    parameters: [inPath("thread_id"), KEY],
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "listMessages",
    method: "get",
    path: "/v1/threads/{thread_id}/messages",
    summary: "What was said in a thread, oldest first",
    permission: "chat",
    parameters: [
      inPath("thread_id"),
      inQuery("before", whole(1)),
      inQuery("limit", whole(1, 200, 50)),
      inQuery("head", anId, "The message that ends the branch to be read."),
      inQuery("through", anId, "A message on the branch to be read, whose newest end is looked for."),
      inQuery("steps", flag, "With how answers came about."),
      inQuery("alternatives", flag, "With what stands on other branches in the place of each message."),
    ],
    answers: { 200: "MessagePage" },
  },
  {
    operationId: "sendMessage",
    method: "post",
    path: "/v1/messages",
    summary: "Says something",
    permission: "chat",
    parameters: [KEY, WAIT],
    body: "NewMessage",
    answers: { 200: "MessageAck", 202: "MessageAck" },
  },
  {
    operationId: "regenerateMessage",
    method: "post",
    path: "/v1/messages/{message_id}/regenerate",
    summary: "Asks for another answer to the same question",
    permission: "chat",
    parameters: [inPath("message_id"), KEY, WAIT],
    answers: { 200: "MessageAck", 202: "MessageAck" },
  },
  {
    operationId: "rateMessage",
    method: "put",
    path: "/v1/messages/{message_id}/feedback",
    summary: "Says what you think of an answer",
    permission: "chat",
    parameters: [inPath("message_id"), KEY],
    body: "Feedback",
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "cancelRun",
    method: "post",
    path: "/v1/runs/{run_id}/cancel",
    summary: "Ends a run",
    permission: "chat",
    parameters: [inPath("run_id"), KEY],
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "answerWait",
    method: "post",
    path: "/v1/waits/{wait_id}",
    summary: "Answers what a run waits for",
    permission: "chat",
    parameters: [inPath("wait_id"), KEY],
    body: "RunResume",
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "readJournal",
    method: "get",
    path: "/v1/runs/{run_id}/journal",
    summary: "How a run of yours went, as far as that is kept, for a replay",
    permission: "chat",
    parameters: [inPath("run_id")],
    answers: { 200: "RunJournal" },
  },
  {
    operationId: "readEvents",
    method: "get",
    path: "/v1/events",
    summary: "Your events from a position on, as a page or as a stream",
    permission: "chat",
    parameters: [
      inQuery("since", whole(0, undefined, 0)),
      inQuery("epoch", text),
      inQuery("limit", whole(1, 1_000, 100)),
      inQuery("client_id", anId),
      { name: "Last-Event-ID", in: "header", schema: text, description: "Of a stream: where it broke off." },
    ],
    answers: { 200: "EventPage" },
    streams: true,
  },
  {
    operationId: "readState",
    method: "get",
    path: "/v1/state",
    summary: "Your shared state",
    permission: "chat",
    answers: { 200: "State" },
  },
  {
    operationId: "updateState",
    method: "patch",
    path: "/v1/state",
    summary: "Changes your shared state by a JSON Patch (RFC 6902)",
    permission: "chat",
    parameters: [KEY],
    body: "StateUpdate",
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "exportMe",
    method: "get",
    path: "/v1/me/export",
    summary: "Your conversations, shared state and usage, as far as they are kept",
    permission: "chat",
    answers: { 200: "Export" },
  },
  {
    operationId: "readUsage",
    method: "get",
    path: "/v1/me/usage",
    summary: "What models have cost you, and what is left of today's budget",
    permission: "chat",
    answers: { 200: "Usage" },
  },
  {
    operationId: "eraseMe",
    method: "delete",
    path: "/v1/me",
    summary: "Deletes everything that is kept of you",
    permission: "chat",
    answers: { 200: "Erased" },
  },
  {
    operationId: "issueTicket",
    method: "post",
    path: "/v1/auth/ticket",
    summary: "A ticket for one upgrade",
    permission: "chat",
    answers: { 200: "Ticket" },
  },
  {
    operationId: "exchangeToken",
    method: "post",
    path: "/v1/auth/token",
    summary: "A provider's token for one of ours (RFC 8693)",
    body: "TokenRequest",
    form: true,
    answers: { 200: "TokenAnswer", 400: "TokenError" },
  },
  {
    operationId: "signOut",
    method: "post",
    path: "/v1/auth/sign-out",
    summary: "Signs you out everywhere",
    permission: "chat",
    answers: { 200: "SignedOut" },
  },
  {
    operationId: "publishEvents",
    method: "post",
    path: "/v1/users/{user_id}/events",
    summary: "Publishes notifications to a user",
    permission: "service",
    parameters: [USER, KEY],
    body: "Publication",
    answers: { 200: "Published" },
  },
  {
    operationId: "broadcastEvents",
    method: "post",
    path: "/v1/users/events",
    summary: "Publishes notifications to many users",
    permission: "service",
    parameters: [KEY],
    body: "Broadcast",
    answers: { 200: "BroadcastResults" },
  },
  {
    operationId: "startRun",
    method: "post",
    path: "/v1/users/{user_id}/runs",
    summary: "Starts a run for a user, executed here or by you",
    permission: "service",
    parameters: [USER, KEY],
    body: "RunStart",
    answers: { 201: "RunStarted" },
  },
  {
    operationId: "feedRun",
    method: "post",
    path: "/v1/users/{user_id}/runs/{run_id}/events",
    summary: "Feeds the events of a run that you execute",
    permission: "service",
    parameters: [USER, inPath("run_id")],
    body: "Feeding",
    answers: { 200: "Fed" },
  },
  {
    operationId: "showUser",
    method: "get",
    path: "/v1/users/{user_id}",
    summary: "Where a user's session stands",
    permission: "admin",
    parameters: [USER],
    answers: { 200: "User" },
  },
  {
    operationId: "readUserJournal",
    method: "get",
    path: "/v1/users/{user_id}/runs/{run_id}/journal",
    summary: "How a run of a user went, as far as that is kept, for a replay",
    permission: "admin",
    parameters: [USER, inPath("run_id")],
    answers: { 200: "RunJournal" },
  },
  {
    operationId: "answerUserWait",
    method: "post",
    path: "/v1/users/{user_id}/waits/{wait_id}",
    summary: "Answers a signal or a client tool that a run of a user waits for",
    permission: "service",
    parameters: [USER, inPath("wait_id"), KEY],
    body: "RunResume",
    answers: { 200: "CommandAck" },
  },
  {
    operationId: "signOutUser",
    method: "post",
    path: "/v1/users/{user_id}/sign-out",
    summary: "Signs a user out everywhere",
    permission: "admin",
    parameters: [USER],
    answers: { 200: "SignedOut" },
  },
  {
    operationId: "invalidateUser",
    method: "post",
    path: "/v1/users/{user_id}/invalidate",
    summary: "Has every client of a user begin anew",
    permission: "admin",
    parameters: [USER],
    answers: { 200: "Invalidated" },
  },
];

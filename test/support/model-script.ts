/**
 * How a model server behaves, as a script: which bytes it sends, when, and how
 * it ends. Pure, so that the same scripts are played over TCP (model-server.ts)
 * and inside the Workers runtime (model-fetch.ts).
 *
 * A behaviour is named by the model's name or, if that is `fake`, by a marker in
 * the last message of the user: `[[deltas:200]]`. After the colon are its arguments.
 */

export type Step =
  | { readonly head: { readonly status: number; readonly headers: Readonly<Record<string, string>> } }
  | { readonly send: string }
  | { readonly pause_ms: number }
  /** `cut` destroys the connection, `hang` keeps it open and says nothing more. */
  | { readonly end: "close" | "cut" | "hang" };

export type Script = readonly Step[];

/** What a request asks for, as far as a script depends on it. */
export interface Asked {
  readonly model: string;
  readonly question: string;
  /** Names of the tools that were offered. */
  readonly tools: readonly string[];
  /** False if it is asked to call none. */
  readonly may_call: boolean;
  /** Results of tools since the question. */
  readonly results: number;
  /** How often the very same was asked before. */
  readonly earlier: number;
}

export const ANSWER = ["Hello", ", ", "world."];
export const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 7,
  total_tokens: 19,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

type Behaviour = (asked: Asked, ...args: readonly string[]) => Script;

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  /** Three deltas, a finish reason, usage, `[DONE]`. */
  fast: () => stream(...texts(ANSWER), ...finish()),
  /** `slow:MS:N`: N deltas, MS apart. */
  slow: (_, ms = "200", n = "10") =>
    stream(...words(Number(n)).flatMap((text) => [pause(Number(ms)), ...texts([text])]), ...finish()),
  /** `deltas:N`: N deltas at once. */
  deltas: (_, n = "200") => stream(...texts(words(Number(n))), ...finish()),
  /** Answers with what was asked. */
  echo: ({ question }) => stream(...texts([question]), ...finish()),
  /** `rate-limited:N:SECONDS`: 429 with `Retry-After`, N times; then it answers. */
  "rate-limited": ({ earlier }, n = "1", seconds = "1") =>
    earlier >= Number(n)
      ? answer()
      : refuse(429, { code: "rate_limit_exceeded" }, { "Retry-After": seconds }),
  /** `failing:N:STATUS`: that status, N times; then it answers. */
  failing: ({ earlier }, n = "1", status = "503") =>
    earlier >= Number(n) ? answer() : refuse(Number(status), { type: "server_error" }),
  /** `error:STATUS:CODE`: always. */
  error: (_, status = "500", code = "server_error") => refuse(Number(status), { code }),
  redirect: () => [head(302, { Location: "https://elsewhere.example/" }), CLOSE],
  /** Not even a status. */
  hang: () => [HANG],
  /** In the middle of the stream. */
  stall: () => [...open(), ...texts(ANSWER.slice(0, 2)), HANG],
  /** `cut:N`: after N deltas. */
  cut: (_, n = "2") => [...open(), ...texts(ANSWER.slice(0, Number(n))), CUT],
  /** `cut-once:N`: the first time before anything is said; then it answers. */
  "cut-once": ({ earlier }) => (earlier > 0 ? answer() : [...open(), CUT]),
  garbage: () => [...open(), ...texts(["Hel"]), { send: 'data: {"choices":[{"del\n\n' }, CLOSE],
  html: () => [head(200, { "Content-Type": "text/html" }), { send: "<h1>Welcome</h1>" }, CLOSE],
  /** `huge:BYTES`: one line as long as that. */
  huge: (_, bytes = "2097152") => [
    ...open(),
    { send: 'data: {"choices":[{"delta":{"content":"' },
    ...Array.from({ length: Math.ceil(Number(bytes) / 65_536) }, () => ({ send: "x".repeat(65_536) })),
    { send: '"}}]}\n\n' },
    CLOSE,
  ],
  /** Asks for a tool whenever it may; `tool-loop:always` whenever it is asked anything. */
  "tool-loop": ({ tools, results, may_call }, always) =>
    may_call || always === "always"
      ? stream(
          toolPiece(0, { id: `call_loop_${results}`, name: tools[0] ?? "lookup", args: `{"n":${results}}` }),
          ...finish("tool_calls"),
        )
      : answer(),
  /** `tools:N`: N calls at once, their arguments in interleaved pieces; then it says how many results it got. */
  tools: ({ tools, results }, n = "2") => {
    if (results > 0) return stream(...texts([`${results} results.`]), ...finish());
    const indexes = Array.from({ length: Number(n) }, (_, index) => index);
    const name = (index: number) => tools[index % Math.max(1, tools.length)] ?? "lookup";
    return stream(
      ...indexes.map((index) => toolPiece(index, { id: `call_${index}_x`, name: name(index), args: "" })),
      ...indexes.map((index) => toolPiece(index, { args: `{"n":` })),
      ...indexes.map((index) => toolPiece(index, { args: `${index}}` })),
      ...finish("tool_calls"),
    );
  },
  /** `call:NAME:ARGS`: calls that tool with these arguments; then it says that it has. */
  call: ({ results }, name = "lookup", ...args) =>
    results > 0
      ? stream(...texts(["The tool has answered."]), ...finish())
      : stream(toolPiece(0, { id: "call_1", name, args: args.join(":") }), ...finish("tool_calls")),
  /** `order:ID`: a word and a thought, two tools at once, a third, and then an answer that takes its time. */
  order: ({ results }, order = "1") => {
    const call = (index: number, name: string) =>
      toolPiece(index, { id: `call_${name}`, name, args: JSON.stringify({ order }) });
    if (results === 0) {
      const thought = data(chunk({ reasoning_content: "First the goods, then the money." }));
      const said = ["I will ", "see to ", "it."].flatMap((text) => [pause(40), ...texts([text])]);
      return stream(thought, ...said, call(0, "reserve"), call(1, "charge"), ...finish("tool_calls"));
    }
    if (results === 2) return stream(pause(80), call(0, "notify"), ...finish("tool_calls"));
    return stream(...words(15).flatMap((text) => [pause(30), ...texts([text])]), ...finish());
  },
  /** `stream-error:after`: an error object in the stream, before or after some text. */
  "stream-error": (_, when = "before") => [
    ...open(),
    ...texts(when === "after" ? ["Hel"] : []),
    data({ error: { message: "secret detail of the provider", type: "server_error", code: 502 } }),
    CLOSE,
  ],
  "no-done": () => [
    ...open(),
    ...texts(ANSWER),
    data(chunk({}, "stop")),
    data({ choices: [], usage: USAGE }),
    CLOSE,
  ],
  "no-finish": () => [...open(), ...texts(ANSWER), CLOSE],
  "no-reason": () => [...open(), ...texts(ANSWER), DONE, CLOSE],
  "no-usage": () => stream(...texts(ANSWER), data(chunk({}, "stop")), DONE),
  /** `keep-alive:N`: N comments before the answer. */
  "keep-alive": (_, n = "3") =>
    stream(
      ...Array.from({ length: Number(n) }, () => ({ send: ": PROCESSING\n\n" })),
      ...texts(ANSWER),
      ...finish(),
    ),
  reasoning: () => stream(data(chunk({ reasoning_content: "Let me see." })), ...texts(ANSWER), ...finish()),
  /** In one piece, whatever was asked for. */
  whole: () => [
    head(200, { "Content-Type": "application/json" }),
    {
      send: JSON.stringify({
        choices: [
          { index: 0, message: { role: "assistant", content: ANSWER.join("") }, finish_reason: "stop" },
        ],
        usage: USAGE,
      }),
    },
    CLOSE,
  ],
  crlf: () => stream(...texts(ANSWER), ...finish()).map(withCrLf),
};

export function scriptFor(asked: Asked): Script {
  const [name = "fast", ...args] = behaviourOf(asked).split(":");
  const behaviour = BEHAVIOURS[name] ?? BEHAVIOURS.fast!;
  return behaviour(asked, ...args);
}

function behaviourOf({ model, question }: Asked): string {
  if (model !== "fake") return model;
  return /\[\[(.+?)\]\](?!\])/.exec(question)?.[1] ?? "fast";
}

/** The body of a request for a chat completion, as far as scripts depend on it. */
export function askedIn(body: any, seen: Map<string, number>): Asked {
  const messages: any[] = body.messages ?? [];
  const last = messages.findLastIndex(({ role }) => role === "user");
  const key = JSON.stringify([body.model, messages]);
  const earlier = seen.get(key) ?? 0;
  seen.set(key, earlier + 1);
  return {
    model: String(body.model),
    question: contentOf(messages[last]?.content),
    tools: (body.tools ?? []).map((tool: any) => String(tool.function?.name)),
    may_call: body.tool_choice !== "none",
    results: messages.slice(last + 1).filter(({ role }) => role === "tool").length,
    earlier,
  };
}

function contentOf(content: unknown): string {
  if (Array.isArray(content)) return content.map((part) => String(part.text ?? "")).join("");
  return String(content ?? "");
}

// The rest is what scripts are made of; tests of oddities make their own.

export const CLOSE: Step = { end: "close" };
export const CUT: Step = { end: "cut" };
export const HANG: Step = { end: "hang" };
export const DONE: Step = { send: "data: [DONE]\n\n" };

export function head(status: number, headers: Readonly<Record<string, string>> = {}): Step {
  return { head: { status, headers } };
}

export function open(): Script {
  return [head(200, { "Content-Type": "text/event-stream" })];
}

export function data(value: unknown): Step {
  return { send: `data: ${JSON.stringify(value)}\n\n` };
}

export function pause(pause_ms: number): Step {
  return { pause_ms };
}

export function chunk(delta: object, finish_reason: string | null = null) {
  return {
    id: "cmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "fake",
    choices: [{ index: 0, delta, finish_reason }],
  };
}

export function texts(deltas: readonly string[]): Script {
  return deltas.map((content) => data(chunk({ content })));
}

export function finish(reason = "stop"): Script {
  return [
    data(chunk({}, reason)),
    data({ id: "cmpl-1", object: "chat.completion.chunk", choices: [], usage: USAGE }),
    DONE,
  ];
}

export function stream(...steps: readonly Step[]): Script {
  return [...open(), ...steps, CLOSE];
}

export function toolPiece(
  index: number,
  { id, name, args }: { id?: string; name?: string; args: string },
): Step {
  const said = { ...(name !== undefined && { name }), arguments: args };
  return data(
    chunk({ tool_calls: [{ index, ...(id !== undefined && { id, type: "function" }), function: said }] }),
  );
}

function answer(): Script {
  return stream(...texts(ANSWER), ...finish());
}

function refuse(status: number, error: object, headers: Readonly<Record<string, string>> = {}): Script {
  const body = { error: { message: "secret detail of the provider", ...error } };
  return [
    head(status, { "Content-Type": "application/json", ...headers }),
    { send: JSON.stringify(body) },
    CLOSE,
  ];
}

function words(n: number): readonly string[] {
  return Array.from({ length: n }, (_, index) => `word${index} `);
}

function withCrLf(step: Step): Step {
  return "send" in step ? { send: step.send.replaceAll("\n", "\r\n") } : step;
}

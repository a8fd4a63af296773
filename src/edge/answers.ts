/** Every HTTP answer that is not an upgrade: JSON of ours or a file of the page, with the same safe headers. */

/** Answers of the API are a person's own and change all the time: nobody keeps them. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, {
    status,
    headers: { ...DATA_HEADERS, ...headers },
  });
}

/** As `json`, of what has been written as JSON already. */
export function jsonText(text: string): Response {
  return new Response(text, {
    headers: { ...DATA_HEADERS, "Content-Type": "application/json" },
  });
}

/** As `jsonText`, of what is still being written. */
export function jsonStream(parts: AsyncGenerator<string>): Response {
  return stream(parts, "application/json");
}

/**
 * Each part is made when its reader asks for more. A part that cannot be made breaks the connection off.
 * @param cancelled the reader is gone
 */
export function stream(parts: AsyncGenerator<string>, type: string, cancelled = () => {}): Response {
  const encoder = new TextEncoder();
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: cancelled,
  };
  const body = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
  return new Response(body, { headers: { ...DATA_HEADERS, "Content-Type": type } });
}

/** A copy of `file` with the safe headers; how long it is kept is the asset server's business. */
export function withSafeHeaders(file: Response): Response {
  const copy = new Response(file.body, file);
  for (const [name, value] of Object.entries(SAFE_HEADERS)) copy.headers.set(name, value);
  return copy;
}

const SAFE_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Browsers heed it over https only (RFC 6797 §7.2).
  "Strict-Transport-Security": "max-age=31536000",
} as const;

/** Data is never a page: were it opened as one, it could do nothing (CSP 3 §6). */
const DATA_HEADERS = {
  ...SAFE_HEADERS,
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const;

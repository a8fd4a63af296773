/** Every HTTP answer that is not an upgrade: JSON of ours or a file of the page, with the same safe headers. */

/** Answers of the API are a person's own and change all the time: nobody keeps them. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, {
    status,
    headers: { ...SAFE_HEADERS, "Cache-Control": "no-store", ...headers },
  });
}

/** As `json`, of what has been written as JSON already. */
export function jsonText(text: string): Response {
  return new Response(text, {
    headers: { ...SAFE_HEADERS, "Cache-Control": "no-store", "Content-Type": "application/json" },
  });
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
} as const;

/** The bytes of a stream, read no further than a limit. */

/** @returns undefined if there are more than `limit` */
export async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<ArrayBuffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return new Blob(chunks).arrayBuffer();
}

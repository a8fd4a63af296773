/** What a test may know of an object's inside. Asking wakes it. */
export interface Inspection {
  /** Another one whenever the object was gone from memory in between. */
  readonly instance: string;
  /** By table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly sockets: number;
  readonly attachments: number;
  readonly alarms: number;
}

export async function inspect(url: string, user_id: string): Promise<Inspection> {
  const response = await fetch(`${url}/test/inspect/${user_id}`);
  if (!response.ok) throw new Error(`inspecting answered ${response.status}`);
  return (await response.json()) as Inspection;
}

/** Makes the object hold a timer. */
export async function pin(url: string, user_id: string): Promise<void> {
  const response = await fetch(`${url}/test/pin/${user_id}`);
  if (!response.ok) throw new Error(`pinning answered ${response.status}`);
}

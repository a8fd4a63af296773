/** What a run had come to when it began to wait: who goes on from there says only the rest of it. */
export interface SoFar {
  readonly text: string;
  /** Of its next event. */
  readonly run_seq: number;
  readonly step: number;
  /** Of all its events together. */
  readonly chars: number;
  /** Calls that have begun and are not completed. */
  readonly open: readonly OpenCall[];
  /** The ids of all its calls. */
  readonly calls: readonly string[];
  /** How often it has asked for something. */
  readonly askings: number;
}

export interface OpenCall {
  readonly tool_call_id: string;
  readonly tool_name: string;
  readonly step: number;
  readonly args?: unknown;
}

export const NOTHING: SoFar = { text: "", run_seq: 1, step: 0, chars: 0, open: [], calls: [], askings: 0 };

/**
 * The user's database: schema, migrations, transactions. Reading about a user
 * who does not exist finds nothing and writes nothing; the schema is made by the
 * first transaction. Every statement is run here.
 */
import * as z from "zod/mini";
import type { Ids, PlatformStorage } from "./ports.ts";
import { text } from "./rows.ts";

/** Additive only: a Worker one version older must still read what this one wrote. */
const MIGRATIONS: ReadonlyArray<readonly string[]> = [
  [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    `CREATE TABLE events (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, acked INTEGER NOT NULL, type TEXT NOT NULL,
      thread_id TEXT, run_id TEXT, prev INTEGER, expires_at INTEGER, frame TEXT NOT NULL, journal TEXT)`,
    "CREATE TABLE inbox (id TEXT PRIMARY KEY, at INTEGER NOT NULL, seq INTEGER, request TEXT) WITHOUT ROWID",
    `CREATE TABLE runs (run_id TEXT PRIMARY KEY, thread_id TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL,
      agent TEXT NOT NULL, version TEXT NOT NULL, start_seq INTEGER NOT NULL, detail TEXT) WITHOUT ROWID`,
    `CREATE TABLE threads (thread_id TEXT PRIMARY KEY, title TEXT, head INTEGER, updated_at INTEGER NOT NULL,
      detail TEXT) WITHOUT ROWID`,
  ],
  // Threads in the order in which they were last talked in, and the message each of them ends with.
  [
    "ALTER TABLE threads ADD COLUMN touched INTEGER NOT NULL DEFAULT 0",
    `UPDATE threads SET touched = COALESCE(head, 0), detail = json_object('head_message_id',
      (SELECT json_extract(frame, '$.payload.message_id') FROM events WHERE seq = head))`,
  ],
];

/** Tables of what few use: made by the first write that needs them, so that nobody else is billed for them. */
const ON_FIRST_USE = {
  patches: "CREATE TABLE IF NOT EXISTS patches (version INTEGER PRIMARY KEY, patch TEXT NOT NULL)",
  usage: `CREATE TABLE IF NOT EXISTS usage (day TEXT, provider TEXT, model TEXT, calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached INTEGER NOT NULL, reasoning INTEGER NOT NULL,
    cost_usd REAL, PRIMARY KEY (day, provider, model)) WITHOUT ROWID`,
} as const;

const birthCertificate = z.object({
  schema: z.number(),
  /** Names this log; random, made with the storage, changed only by erasure or invalidation. */
  epoch: z.string(),
  user_id: z.string(),
  /** Tokens issued before this time (seconds since the epoch) are refused. */
  not_before: z.number(),
});

type BirthCertificate = Readonly<z.infer<typeof birthCertificate>>;

export class Storage {
  readonly #platform: PlatformStorage;
  readonly #ids: Ids;
  readonly #user_id: string;
  #born: BirthCertificate | undefined;
  #retired = false;

  constructor(platform: PlatformStorage, user_id: string, ids: Ids) {
    this.#platform = platform;
    this.#user_id = user_id;
    this.#ids = ids;
    this.#born = this.#read();
  }

  /** Undefined until something was written for this user. */
  get born(): BirthCertificate | undefined {
    return this.#born;
  }

  /** Rows of a query; none if the user does not exist. Never a cursor: no snapshot survives an `await`. */
  read(query: string, ...bindings: SqlStorageValue[]): Record<string, SqlStorageValue>[] {
    return this.#born === undefined || this.#retired ? [] : this.#exec(query, bindings);
  }

  /** Only inside `transact`. */
  write(statement: string, ...bindings: SqlStorageValue[]): void {
    this.#exec(statement, bindings);
  }

  /** Makes a table that may not be there yet. Only inside `transact`, and before anything is written to it. */
  need(table: keyof typeof ON_FIRST_USE): void {
    this.#exec(ON_FIRST_USE[table], []);
  }

  /**
   * Runs `work` as one transaction; if it throws, nothing has happened. Makes the
   * user on first use, unless what came of it is nothing.
   */
  transact<T>(work: () => T, isNothing: (value: T) => boolean = () => false): T {
    if (this.#retired) throw new Error("the user is being erased");
    const before = this.#born;
    const nothing: { value: T }[] = [];
    try {
      return this.#platform.transactionSync(() => {
        this.#born = this.#migrate(this.#born);
        const value = work();
        if (before !== undefined || !isNothing(value)) return value;
        nothing.push({ value });
        throw new Error("nobody is made for nothing");
      });
    } catch (cause) {
      this.#born = before;
      const [known] = nothing;
      if (known !== undefined) return known.value;
      throw cause;
    }
  }

  /** Another epoch: every cursor there is loses its meaning. False if the user does not exist. */
  renewEpoch(): boolean {
    const { born } = this;
    if (born === undefined) return false;
    this.transact(() => {
      this.#born = { ...born, epoch: this.#ids.random() };
      this.#certify(this.#born);
    });
    return true;
  }

  /** From now on tokens issued before `not_before` (seconds since the epoch) are refused; it never goes back. */
  refuseBefore(not_before: number): void {
    this.transact(() => {
      if (this.#born === undefined) throw new Error("the user was not made");
      this.#born = { ...this.#born, not_before: Math.max(this.#born.not_before, not_before) };
      this.#certify(this.#born);
    });
  }

  /** From here on there is nothing to read, and nothing can be written: what is about to be erased must not come back. */
  retire(): void {
    this.#retired = true;
  }

  /** Resolves when everything written so far survives a crash. */
  sync(): Promise<void> {
    return this.#platform.sync();
  }

  #exec(statement: string, bindings: readonly SqlStorageValue[]): Record<string, SqlStorageValue>[] {
    return this.#platform.sql.exec(statement, ...bindings).toArray();
  }

  #read(): BirthCertificate | undefined {
    const tables = this.#exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'", []);
    if (tables.length === 0) return undefined;
    const [row] = this.#exec("SELECT value FROM meta WHERE key = 'session'", []);
    return row === undefined ? undefined : birthCertificate.parse(JSON.parse(text(row, "value")));
  }

  /** The certificate after every migration that is still missing; unchanged, and nothing written, if none is. */
  #migrate(born: BirthCertificate | undefined): BirthCertificate {
    const missing = MIGRATIONS.slice(born?.schema ?? 0);
    if (born !== undefined && missing.length === 0) return born;
    for (const statement of missing.flat()) this.#exec(statement, []);
    const fresh = { epoch: this.#ids.random(), user_id: this.#user_id, not_before: 0 };
    const migrated = { ...fresh, ...born, schema: MIGRATIONS.length };
    this.#certify(migrated);
    return migrated;
  }

  #certify(born: BirthCertificate): void {
    this.write("INSERT OR REPLACE INTO meta (key, value) VALUES ('session', ?)", JSON.stringify(born));
  }
}

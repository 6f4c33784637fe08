import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { LockInfo } from "@millwright/engine/backend/lock-info";
import type { ShareTry } from "@millwright/engine/backend/parts-hold";
import type { LockTry, StateSlot, StateStorage } from "@millwright/engine/backend/storage";
import type { Client } from "pg";
import type { BackendType } from "./backend-type.ts";
import { connectionConfig, connectionPlace } from "./pg-connection.ts";
import { type PgHolder, holderInfo, sessionName } from "./pg-holder.ts";
import { PgPartsHold } from "./pg-parts.ts";
import { blockSchema, type Settings } from "./settings.ts";

/**
 * `backend "pg"`: a row for each workspace in the table `states`, held by PostgreSQL's advisory locks, as in
 * https://developer.hashicorp.com/terraform/language/backend/pg.
 */
export const pgBackend: BackendType = {
  name: "pg",
  schema: blockSchema({
    conn_str: "text",
    schema_name: "text",
    skip_index_creation: "flag",
    skip_schema_creation: "flag",
    skip_table_creation: "flag",
  }),
  environment: {
    conn_str: ["PG_CONN_STR"],
    schema_name: ["PG_SCHEMA_NAME"],
    skip_index_creation: ["PG_SKIP_INDEX_CREATION"],
    skip_schema_creation: ["PG_SKIP_SCHEMA_CREATION"],
    skip_table_creation: ["PG_SKIP_TABLE_CREATION"],
  },
  check: () => [],
  open: async (settings, { env }) => PgStorage.open(settings, env),
};

class PgStorage implements StateStorage {
  readonly keepsWorkspaces = true;
  readonly #session: PgSession;

  private constructor(session: PgSession) {
    this.#session = session;
  }

  static async open(settings: Settings, env: Readonly<Record<string, string | undefined>>): Promise<PgStorage> {
    const session = await PgSession.connect(settings, env);
    try {
      await session.prepare(settings);
    } catch (error) {
      await session.end();
      throw error;
    }
    return new PgStorage(session);
  }

  async workspaces(): Promise<readonly string[]> {
    const { table } = this.#session;
    const rows = await this.#session.ask("read", `SELECT name FROM ${table} WHERE name <> 'default' ORDER BY name`);
    return ["default", ...rows.map(({ name }) => String(name))];
  }

  slot(workspace: string): StateSlot {
    return new PgSlot(this.#session, workspace);
  }

  async remove(workspace: string): Promise<void> {
    await this.#session.ask("write", `DELETE FROM ${this.#session.table} WHERE name = $1`, [workspace]);
  }

  close(): Promise<void> {
    return this.#session.end();
  }
}

/** The one connection: advisory locks belong to it. */
class PgSession {
  readonly table: string;
  readonly place: string;
  /** Aborts when the connection is lost, and every lock with it. */
  readonly lost: AbortSignal;
  readonly #client: Client;

  private constructor(client: Client, table: string, place: string) {
    this.#client = client;
    this.table = table;
    this.place = place;
    const lost = new AbortController();
    this.lost = lost.signal;
    const lose = (why: string) => lost.abort(new Error(`the connection to PostgreSQL at ${place} ended (${why})`));
    client.on("error", (error) => lose(messageOf(error)));
    client.on("end", () => lose("closed"));
  }

  static async connect(settings: Settings, env: Readonly<Record<string, string | undefined>>): Promise<PgSession> {
    const config = connectionConfig(settings.text("conn_str") ?? "", env);
    const place = connectionPlace(config);
    const { default: pg } = await import("pg");
    const client = new pg.Client(config);
    const schema = settings.text("schema_name") ?? "terraform_remote_state";
    const session = new PgSession(client, `${quoted(schema)}.states`, place);
    try {
      await client.connect();
    } catch (error) {
      throw failed(
        "read",
        place,
        error,
        "Check conn_str (sslmode=disable where the server has no TLS), and that the server runs.",
      );
    }
    return session;
  }

  /** Makes schema, sequence, table and index, where they are not there and may be made. */
  async prepare(settings: Settings): Promise<void> {
    const schema = settings.text("schema_name") ?? "terraform_remote_state";
    const known = await this.ask("read", "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1", [schema]);
    if (settings.flag("skip_schema_creation") !== true && known.length === 0)
      await this.#make(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
    if (settings.flag("skip_table_creation") !== true) {
      await this.#make("CREATE SEQUENCE IF NOT EXISTS public.global_states_id_seq AS bigint");
      await this.#make(
        `CREATE TABLE IF NOT EXISTS ${this.table} (id bigint NOT NULL DEFAULT nextval('public.global_states_id_seq') PRIMARY KEY, name text UNIQUE, data text)`,
      );
    }
    if (settings.flag("skip_index_creation") !== true)
      await this.#make(`CREATE UNIQUE INDEX IF NOT EXISTS states_by_name ON ${this.table} (name)`);
  }

  // Of two that begin at once, both find nothing there; the one that comes second is told so, and all is there then.
  async #make(sql: string): Promise<void> {
    await this.ask("write", sql).catch((error: unknown) => {
      if (!isMadeMeanwhile(error)) throw error;
    });
  }

  async ask(
    verb: "read" | "write",
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    try {
      const { rows } = await this.#client.query<Record<string, unknown>>(sql, [...values]);
      return rows;
    } catch (error) {
      throw failed(verb, this.place, error, "Check the server's log, and what this user may do.");
    }
  }

  async end(): Promise<void> {
    await this.#client.end().catch(() => undefined); // What is lost already needs no end.
  }
}

class PgSlot implements StateSlot {
  readonly #session: PgSession;
  readonly #workspace: string;

  constructor(session: PgSession, workspace: string) {
    this.#session = session;
    this.#workspace = workspace;
  }

  get place(): string {
    return `${this.#session.place}, ${this.#session.table.replaceAll('"', "")}, ${this.#workspace}`;
  }

  async read(): Promise<Uint8Array | undefined> {
    const sql = `SELECT data FROM ${this.#session.table} WHERE name = $1`;
    const [row] = await this.#session.ask("read", sql, [this.#workspace]);
    return typeof row?.data === "string" && row.data !== "" ? Buffer.from(row.data) : undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { table } = this.#session;
    const sql = `INSERT INTO ${table} (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = EXCLUDED.data`;
    await this.#session.ask("write", sql, [this.#workspace, Buffer.from(bytes).toString("utf8")]);
  }

  /**
   * The lock of a state is on its row's id; where it has no row yet, on -1, which is also held for a moment by everybody who
   * asks, so that a row that is just being made is waited for.
   */
  async lock(info: LockInfo): Promise<LockTry> {
    const { table, lost } = this.#session;
    const [row] = await this.#session.ask(
      "write",
      `SELECT states.id::text AS id, pg_try_advisory_lock(states.id) AS got, pg_try_advisory_lock(-1) AS guard FROM ${table} WHERE states.name = $1`,
      [this.#workspace],
    );
    let id = creationLock;
    if (!row) {
      const [guard] = await this.#session.ask("write", "SELECT pg_try_advisory_lock(-1) AS guard");
      if (guard?.guard !== true) return { kind: "busy", ...(await this.#holder(creationLock)) };
    } else {
      id = String(row.id);
      if (row.guard === true) await this.#unlock(creationLock);
      if (row.got !== true) return { kind: "busy", ...(await this.#holder(id)) };
      if (row.guard !== true) {
        await this.#unlock(id);
        return { kind: "busy", ...(await this.#holder(creationLock)) };
      }
    }
    const held = await this.#named(info);
    // A lock that was lost with its connection is nobody's to give back.
    const release = async () => (lost.aborted ? undefined : this.#unlock(id));
    return { kind: "held", lock: { info: held, lost, release } };
  }

  /**
   * Shares the lock of the row's id. Who makes a row holds -1 and not yet its id, so that -1 has to be free for a moment here
   * too.
   */
  async share(info: LockInfo): Promise<ShareTry> {
    const { table } = this.#session;
    const [row] = await this.#session.ask(
      "write",
      `SELECT states.id::text AS id, coalesce(data, '') = '' AS empty, pg_try_advisory_lock_shared(states.id) AS got, pg_try_advisory_lock_shared(-1) AS guard FROM ${table} WHERE states.name = $1`,
      [this.#workspace],
    );
    if (!row) return { kind: "nothing there" };
    const id = String(row.id);
    if (row.guard === true) await this.#unlockShared(creationLock);
    if (row.got === true && row.guard === true && row.empty !== true) {
      const held = await this.#named(info);
      return { kind: "held", hold: new PgPartsHold({ ...this.#sharing, id, info: held }) };
    }
    if (row.got === true) await this.#unlockShared(id);
    if (row.got === true && row.guard === true) return { kind: "nothing there" };
    return { kind: "busy", ...(await this.#holder(row.got === true ? creationLock : id)) };
  }

  get #sharing() {
    return { session: this.#session, workspace: this.#workspace };
  }

  /** Has the session say for whom it holds the state. */
  async #named(info: LockInfo): Promise<LockInfo> {
    const held = { ...info, Path: `${this.#session.place}/${this.#workspace}` };
    await this.#session.ask("write", "SELECT set_config('application_name', $1, false)", [sessionName(held)]);
    return held;
  }

  /** Ends the session that holds it: its id is the lock's, or its process id where Terraform holds it. */
  async forceUnlock(id: string): Promise<void> {
    const [row] = await this.#session.ask(
      "read",
      `SELECT states.id::text AS id FROM ${this.#session.table} WHERE states.name = $1`,
      [this.#workspace],
    );
    const holders = await this.#holders(String(row?.id ?? creationLock));
    const isMeant = ({ session }: PgHolder) => [session?.info?.ID, String(session?.pid)].includes(id);
    const { session } = holders.find(isMeant) ?? holders[0] ?? {};
    if (!session || ![session.info?.ID, String(session.pid)].includes(id)) {
      throw new OperationalError(
        backendErrors.notLocked,
        session
          ? `The state is held by ${session.info?.ID ?? session.pid}, not by ${id}.`
          : `Nobody holds the state ${this.place}.`,
      );
    }
    await this.#session.ask("write", "SELECT pg_terminate_backend($1)", [session.pid]);
  }

  async #unlock(id: string): Promise<void> {
    await this.#session.ask("write", "SELECT pg_advisory_unlock($1::bigint)", [id]);
  }

  async #unlockShared(id: string): Promise<void> {
    await this.#session.ask("write", "SELECT pg_advisory_unlock_shared($1::bigint)", [id]);
  }

  async #holder(id: string): Promise<PgHolder> {
    const [first] = await this.#holders(id);
    return first ?? holderInfo(undefined, "");
  }

  /** One where it is held alone, all who share it where it is shared. */
  async #holders(id: string): Promise<readonly PgHolder[]> {
    const rows = await this.#session.ask(
      "read",
      `SELECT a.pid, a.usename, host(a.client_addr) AS client, a.application_name, a.backend_start
       FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint`,
      [id],
    );
    return rows.map((row) => holderInfo(row, `${this.#session.place}/${this.#workspace}`));
  }
}

function isMadeMeanwhile(error: unknown): boolean {
  const cause = error instanceof OperationalError ? error.cause : undefined;
  const codes: readonly unknown[] = ["23505", "42710", "42P06", "42P07"];
  return cause instanceof Error && "code" in cause && codes.includes(cause.code);
}

const creationLock = "-1";

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function failed(verb: "read" | "write", place: string, error: unknown, advice: string): OperationalError {
  const kind = verb === "read" ? backendErrors.stateUnreadable : backendErrors.stateUnwritable;
  const text = `PostgreSQL at ${place} cannot be used for the state: ${messageOf(error)}. ${advice}`;
  return new OperationalError(kind, text, { cause: error });
}

import { OperationalError } from "@millwright/core/errors";
import pg from "pg";
import { type ConnectionPlace, tlsOptions } from "./connection-url.ts";
import { databaseErrors } from "./errors.ts";

export interface PostgresOptions {
  readonly place: ConnectionPlace;
  /** Connections at once. */
  readonly maxOpen: number;
  /** Seconds; 0 is without end. */
  readonly maxLifetime: number;
}

/** Runs statements; of what is refused nothing is left, since all belong to one transaction. */
export interface Transaction {
  /** `what` is told where it fails: `statement 2 of creation_statements`. */
  query(sql: string, query?: { values?: readonly string[]; what?: string }): Promise<readonly Row[]>;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * A few connections to one PostgreSQL, opened when they are needed. Every failure is one of the operational errors of databases,
 * its message without the password.
 */
export class Postgres {
  readonly #options: PostgresOptions;
  #pool: Promise<pg.Pool> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #asked = 0;
  /** The server could not be reached, which also answers all who had asked by then. */
  #failure: { readonly error: unknown; readonly upTo: number } = { error: undefined, upTo: 0 };

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** `HOST:PORT`. */
  get address(): string {
    const { host, port } = this.#options.place;
    return `${host}:${port}`;
  }

  /**
   * Runs `work` in a transaction. One after another: PostgreSQL refuses grants on the same table that overlap ("tuple
   * concurrently updated"); where another server's does, it is tried again. `secrets` are kept out of errors.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, secrets: readonly string[] = []): Promise<T> {
    const number = ++this.#asked;
    const run = () => this.#tried(work, number, [this.#options.place.password, ...secrets]);
    const result = this.#turn.then(run, run);
    // The next one waits for this one's end, and whoever asked for this one sees its failure.
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Ends its connections, after the transactions under way. */
  async close(): Promise<void> {
    await this.#turn;
    const pool = await this.#pool?.catch(() => undefined); // One that could not be made needs no end.
    this.#pool = undefined;
    await pool?.end();
  }

  async #tried<T>(
    work: (transaction: Transaction) => Promise<T>,
    number: number,
    secrets: readonly string[],
  ): Promise<T> {
    // Else many who wait for a server that is silent would each wait for its own timeout.
    if (number <= this.#failure.upTo) throw this.#fault(this.#failure.error, secrets);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (error instanceof OperationalError) throw error;
        const [doing, cause] = error instanceof FailedStatement ? [error.doing, error.cause] : ["", error];
        if (tries < 10 && isCollision(cause)) continue;
        throw this.#fault(cause, secrets, doing);
      }
    }
  }

  async #once<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken = true;
    let doing: string | undefined;
    try {
      await client.query("BEGIN");
      const value = await work({
        query: async (sql, { values, what } = {}) => {
          doing = what;
          const result: unknown = await client.query(sql, values && [...values]);
          return rowsOf(result);
        },
      });
      await client.query("COMMIT");
      broken = false;
      return value;
    } catch (error) {
      // A connection that takes no ROLLBACK any more is given up, which rolls back too.
      broken = await client.query("ROLLBACK").then(
        () => false,
        () => true,
      );
      throw doing === undefined || error instanceof OperationalError ? error : new FailedStatement(doing, error);
    } finally {
      client.release(broken);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    this.#pool ??= this.#open();
    try {
      return await (await this.#pool).connect();
    } catch (error) {
      this.#failure = { error, upTo: this.#asked };
      // The next transaction decides anew, as a server may be back with other settings.
      const failed = this.#pool;
      this.#pool = undefined;
      await failed?.then(
        (pool) => pool.end(),
        () => undefined,
      );
      throw error;
    }
  }

  async #open(): Promise<pg.Pool> {
    const { place } = this.#options;
    if (place.tls === "disable" || place.host.startsWith("/")) return this.#poolOf(false);
    const secured = this.#poolOf(await tlsOptions(place));
    if (place.tls !== "prefer") return secured;
    try {
      (await secured.connect()).release();
      return secured;
    } catch (error) {
      if (!String(error).includes("does not support SSL")) throw error;
      await secured.end();
      return this.#poolOf(false);
    }
  }

  #poolOf(ssl: pg.PoolConfig["ssl"] & (object | boolean)): pg.Pool {
    const { place, maxOpen, maxLifetime } = this.#options;
    const pool = new pg.Pool({
      ...{ host: place.host, port: place.port, database: place.database, user: place.user, password: place.password },
      ...(place.options !== undefined && { options: place.options }),
      ssl,
      max: maxOpen,
      maxLifetimeSeconds: maxLifetime,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: place.connectTimeout * 1_000,
      query_timeout: 30_000,
      statement_timeout: 30_000,
      keepAlive: true,
      application_name: "millwright secrets",
    });
    // The end of an idle connection is no fault: the next transaction opens another. That of one in use fails its query.
    pool.on("error", () => undefined);
    pool.on("connect", (client) => client.on("error", () => undefined));
    return pool;
  }

  #fault(error: unknown, secrets: readonly string[], doing = ""): OperationalError {
    const { place } = this.#options;
    const said = scrubbed(messageOf(error), secrets);
    const where = `PostgreSQL at ${this.address}, database ${place.database}`;
    const code = sqlState(error);
    if (code === undefined || /^(08|57P|53300)/.test(code))
      return new OperationalError(databaseErrors.unreachable, `${where}, cannot be reached: ${said}.`);
    if (/^(28|3D)/.test(code)) {
      const refused = `${where}, refuses the login of ${JSON.stringify(place.user)}: ${said}.`;
      return new OperationalError(databaseErrors.loginRefused, refused);
    }
    const detail = scrubbed(detailOf(error), secrets);
    return new OperationalError(
      databaseErrors.statementRefused,
      `PostgreSQL refuses ${doing || "it"}: ${said} (SQLSTATE ${code}).${detail === "" ? "" : ` ${detail}`}`,
    );
  }
}

class FailedStatement extends Error {
  readonly doing: string;

  constructor(doing: string, cause: unknown) {
    super(doing, { cause });
    this.doing = doing;
  }
}

// Of several statements in one query there is a list of results.
function rowsOf(result: unknown): readonly Row[] {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  return typeof last === "object" && last !== null && "rows" in last && Array.isArray(last.rows) ? last.rows : [];
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

function isCollision(error: unknown): boolean {
  const code = sqlState(error);
  return code === "40001" || code === "40P01" || (code === "XX000" && /^tuple concurrently/.test(messageOf(error)));
}

function messageOf(error: unknown): string {
  // Several addresses of one name give an aggregate without a message of its own.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

function detailOf(error: unknown): string {
  return error instanceof pg.DatabaseError ? [error.detail, error.hint].filter((part) => part).join(" ") : "";
}

function scrubbed(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== "").reduce((cut, secret) => cut.replaceAll(secret, "*****"), text);
}

import { readFileSync } from "node:fs";
import pg from "pg";

/** How to reach the database, as the template wrote it. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** Throws where the file is not there or holds something else. */
export function readLogin(file: string): Login {
  return JSON.parse(readFileSync(file, "utf8")) as Login;
}

export interface Placed {
  readonly order: number;
  readonly widget: string;
  readonly count: number;
  /** Of all widgets of this name that were ever ordered. */
  readonly ordered: number;
  /** When the machine will have made it: hours and minutes. */
  readonly ready: string;
}

export interface Summary {
  readonly orders: number;
  readonly widgets: readonly { readonly widget: string; readonly ordered: number }[];
}

/** The factory's books. */
export class Orders {
  readonly #options: { readonly login: () => Login; readonly settingsFile: string };
  #pool: pg.Pool;

  constructor(options: { readonly login: () => Login; readonly settingsFile: string }) {
    this.#options = options;
    this.#pool = this.#open();
  }

  /** Rejects where the database does not answer. */
  async ping(): Promise<void> {
    await this.#pool.query("SELECT 1");
  }

  async place(widget: string, count: number): Promise<Placed> {
    const placed = await this.#pool.query<{ id: number }>(
      "INSERT INTO orders (widget, count) VALUES ($1, $2) RETURNING id",
      [widget, count],
    );
    const before = await this.#pool.query<{ waiting: string; ordered: string }>(
      "SELECT sum(count) AS waiting, sum(count) FILTER (WHERE widget = $1) AS ordered FROM orders",
      [widget],
    );
    const { waiting = "0", ordered = "0" } = before.rows[0] ?? {};
    const minutes = Math.ceil(Number(waiting) / this.#widgetsPerMinute());
    const ready = `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    return { order: placed.rows[0]?.id ?? 0, widget, count, ordered: Number(ordered), ready };
  }

  async summary(): Promise<Summary> {
    const { rows } = await this.#pool.query<{ widget: string; ordered: string }>(
      "SELECT widget, sum(count) AS ordered FROM orders GROUP BY widget ORDER BY sum(count) DESC, widget LIMIT 20",
    );
    const all = await this.#pool.query<{ orders: string }>("SELECT count(*) AS orders FROM orders");
    const widgets = rows.map(({ widget, ordered }) => ({ widget, ordered: Number(ordered) }));
    return { orders: Number(all.rows[0]?.orders ?? 0), widgets };
  }

  /** Takes the login of the file from now on; what is under way ends with the old one, which stays where there is no new one. */
  reconnect(): void {
    const before = this.#pool;
    try {
      this.#pool = this.#open();
    } catch (error) {
      console.error(`The new login cannot be read: ${String(error)}`);
      return;
    }
    before.end().catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  #open(): pg.Pool {
    const pool = new pg.Pool({
      ...this.#options.login(),
      max: 4,
      connectionTimeoutMillis: 1_500,
      query_timeout: 1_500,
    });
    // A connection that breaks while nobody uses it is made anew at the next query.
    pool.on("error", (error) => console.error(error.message));
    return pool;
  }

  #widgetsPerMinute(): number {
    const settings = JSON.parse(readFileSync(this.#options.settingsFile, "utf8")) as {
      readonly widgets_per_minute: number;
    };
    return settings.widgets_per_minute;
  }
}

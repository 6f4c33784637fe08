import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPostgres, unprivilegedUser } from "@millwright/secrets/postgres-programs";
import { Jobs } from "./factory-jobs.ts";
import { buildArchives } from "./factory-archives.ts";
import { examples, freePort, type Outcome, type Stage } from "./stage.ts";

/** The releases that the factory can run; the last one's health check fails. */
export const releases = [{ release: "1" }, { release: "2" }, { release: "3", broken: true }] as const;

/** The widget factory on a stage: the folder of its plan, and all that it needs of this machine. */
export class Factory {
  readonly folder: string;
  readonly jobs: Jobs;
  readonly #stage: Stage;
  readonly #environment: Readonly<Record<string, string>>;
  /** Apart from the stage: PostgreSQL's user may come here, and nowhere else. */
  readonly #database: string;

  private constructor(stage: Stage, folder: string, database: string, environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.jobs = new Jobs(stage.addresses);
    this.#stage = stage;
    this.#database = database;
    this.#environment = environment;
  }

  /** Puts the plan's files and the archives into the stage's folder. */
  static async prepare(stage: Stage): Promise<Factory> {
    const folder = join(stage.folder, "factory");
    cpSync(join(examples, "widget-factory"), folder, { recursive: true });
    const archives = join(stage.folder, "archives");
    await buildArchives(archives, releases);
    const database = mkdtempSync(join(tmpdir(), "millwright-database-"));
    const account = unprivilegedUser();
    mkdirSync(join(database, "orders"), { mode: 0o700 });
    for (const path of account ? [database, join(database, "orders")] : []) chownSync(path, account!.uid, account!.gid);
    const { binFolder, env } = findPostgres({ folder: database, account });
    return new Factory(stage, folder, database, {
      TF_VAR_artifacts: archives,
      TF_VAR_node: process.execPath,
      TF_VAR_postgres_bin: binFolder,
      TF_VAR_postgres_libraries: env.LD_LIBRARY_PATH ?? "",
      TF_VAR_postgres_user: account ? String(account.uid) : "",
      TF_VAR_postgres_data: join(database, "orders"),
      TF_VAR_postgres_address: `127.0.0.1:${await freePort()}`,
      TF_VAR_postgres_password: crypto.randomUUID(),
      TF_VAR_nomad_address: `http://${stage.addresses.nomad}`,
    });
  }

  /** Runs a command of `millwright` in the plan's folder. */
  run(...args: string[]): Promise<Outcome> {
    return this.#stage.run(this.folder, "millwright", args, this.#environment);
  }

  /** Plans, shows the plan, and applies it, saying how instances come up. */
  async apply(release: string, ...flags: readonly string[]): Promise<Outcome> {
    const chosen = [`-var=release=${release}`, ...flags];
    const planned = await this.run("plan", ...chosen, "-out=factory.plan");
    if (planned.code !== 0) return planned;
    const over = new AbortController();
    const watching = this.jobs.sayHealth("widgets", (line) => this.#stage.say(line), over.signal);
    try {
      return await this.run("apply", "factory.plan");
    } finally {
      over.abort();
      await watching;
    }
  }

  /** Removes what it has put outside of the stage's folder. */
  close(): void {
    rmSync(this.#database, { recursive: true, force: true });
  }
}

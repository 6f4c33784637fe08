import { randomBytes } from "node:crypto";
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPostgres, unprivilegedUser } from "@millwright/secrets/postgres-programs";
import pg from "pg";
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
  readonly #postgres: { readonly address: string; readonly password: string };

  private constructor(stage: Stage, folder: string, postgres: { readonly address: string; readonly password: string }) {
    this.folder = folder;
    this.jobs = new Jobs(stage.addresses);
    this.#stage = stage;
    this.#postgres = postgres;
  }

  /** Puts the plan's files and the archives into the stage's folder. */
  static async prepare(stage: Stage, driver: "raw_exec" | "docker"): Promise<Factory> {
    // Apart from the stage: PostgreSQL's user may come here, and nowhere else.
    const database = mkdtempSync(join(tmpdir(), "millwright-database-"));
    stage.atEnd(async () => {
      rmSync(database, { recursive: true, force: true });
      if (driver === "docker") for (const { release } of releases) await removeImage(`widgets:${release}`);
    });
    const folder = join(stage.folder, "factory");
    cpSync(join(examples, "widget-factory"), folder, { recursive: true });
    const archives = join(stage.folder, "archives");
    await buildArchives(archives, releases, driver);
    const account = unprivilegedUser();
    mkdirSync(join(database, "orders"), { mode: 0o700 });
    for (const path of account ? [database, join(database, "orders")] : []) chownSync(path, account!.uid, account!.gid);
    const { binFolder, env } = findPostgres({ folder: database, account });
    const address = `127.0.0.1:${await freePort()}`;
    const variables = {
      artifacts: archives,
      driver,
      node: process.execPath,
      postgres_bin: binFolder,
      postgres_libraries: env.LD_LIBRARY_PATH ?? "",
      postgres_user: account ? String(account.uid) : "",
      postgres_data: join(database, "orders"),
      postgres_address: address,
      nomad_address: `http://${stage.addresses.nomad}`,
    };
    writeFileSync(join(folder, "machine.auto.tfvars.json"), JSON.stringify(variables, null, 2));
    const password = randomBytes(18).toString("base64url");
    writeFileSync(join(stage.folder, "postgres-password"), password, { mode: 0o600 });
    return new Factory(stage, folder, { address, password });
  }

  /** Runs a command of `millwright` in the plan's folder. */
  run(...args: string[]): Promise<Outcome> {
    return this.#stage.run(this.folder, "millwright", args, { TF_VAR_postgres_password: this.#postgres.password });
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

  /** Asks the factory's database, as its own user. */
  async sql(statement: string): Promise<readonly unknown[]> {
    const { address, password } = this.#postgres;
    const client = new pg.Client({ connectionString: `postgresql://postgres:${password}@${address}/factory` });
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  }
}

/** Of the engine that the agent uses. That the image is not there is no fault. */
async function removeImage(name: string): Promise<void> {
  const socketPath = (process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock").replace("unix://", "");
  await new Promise<void>((resolve) => {
    const asked = request({ socketPath, method: "DELETE", path: `/images/${encodeURIComponent(name)}?force=true` });
    asked.on("response", (answer) => answer.resume().on("end", resolve)).on("error", () => resolve());
    asked.end();
  });
}

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import pg from "pg";
import { examples, type Stage } from "./stage.ts";

/** A database, logins to it that are leased, services found by name, files rendered; with every fact that must hold. */
export async function runSecretsSteps(stage: Stage): Promise<void> {
  stage.title("A PostgreSQL of our own, for what follows");
  const postgres = await startPostgres({ database: "myapp" });
  try {
    await postgres.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog'), ('cam')");
    stage.say(`It answers on 127.0.0.1:${postgres.port}, with a table of two widgets.`);
    const steps = new SecretsSteps(stage, postgres);
    await steps.role();
    await steps.login();
    await steps.service();
    await steps.template();
    await steps.rerender();
  } finally {
    await postgres.stop();
  }
}

class SecretsSteps {
  readonly #stage: Stage;
  readonly #postgres: PostgresServer;
  readonly #folder: string;

  constructor(stage: Stage, postgres: PostgresServer) {
    this.#stage = stage;
    this.#postgres = postgres;
    this.#folder = join(stage.folder, "secrets");
    mkdirSync(this.#folder);
    for (const name of ["readonly-role.sql", "myapp-db-config.yml.ctmpl"])
      copyFileSync(join(examples, "secrets", name), join(this.#folder, name));
    writeFileSync(join(this.#folder, "connection-url"), postgres.url, { mode: 0o600 });
  }

  async #does(line: string, said: string): Promise<string> {
    const { code, text } = await this.#stage.shell(this.#folder, line);
    this.#stage.fact(code === 0 && text.includes(said), `"${line}" says "${said}"`);
    return text;
  }

  async role(): Promise<void> {
    this.#stage.title("A role: what a login to the database is made from");
    await this.#does("vault mount postgresql", "postgresql/");
    const connection = "vault write postgresql/config/connection connection_url=@connection-url";
    await this.#does(connection, "Success! Data written to: postgresql/config/connection");
    await this.#does("vault write postgresql/config/lease lease=1h lease_max=24h", "Success!");
    const role = "cat readonly-role.sql | tee sent.sql | vault write postgresql/roles/readonly sql=-";
    await this.#does(role, "Success! Data written to: postgresql/roles/readonly");
  }

  async login(): Promise<void> {
    this.#stage.title("A login, made when it is asked for, and leased");
    const text = await this.#does("vault read postgresql/creds/readonly", "lease_id");
    const field = (name: string) => new RegExp(`^${name} +(\\S+)`, "m").exec(text)?.[1] ?? "";
    const [lease, user, password] = [field("lease_id"), field("username"), field("password")];
    const seen = await this.#query(user, password, "SELECT name FROM widgets ORDER BY name");
    this.#stage.fact(seen === "cam, cog", "the login can read");
    const written = await this.#query(user, password, "INSERT INTO widgets VALUES ('bolt')");
    this.#stage.fact(written.includes("permission denied"), "the login cannot write");
    await this.#does(`vault renew ${lease}`, "1h0m0s");
    await this.#does(`vault revoke ${lease}`, "Success!");
    const after = await this.#query(user, password, "SELECT name FROM widgets");
    this.#stage.fact(after.includes("authentication failed"), "the login is refused once its lease has been revoked");
  }

  // As an application would ask.
  async #query(user: string, password: string, sql: string): Promise<string> {
    const { host, port } = this.#postgres;
    const client = new pg.Client({ host, port, user, password, database: "myapp" });
    this.#stage.say(`\n(as ${user})\nmyapp=> ${sql};`);
    try {
      await client.connect();
      const { rows } = await client.query<{ name: string }>(sql);
      const text = rows.map(({ name }) => name).join(", ");
      this.#stage.say(text);
      return text;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#stage.say(`ERROR:  ${text}`);
      return text;
    } finally {
      await client.end();
    }
  }

  async service(): Promise<void> {
    this.#stage.title("A service, found by HTTP and by DNS");
    const { port } = this.#postgres;
    const check = `{"Name": "answers", "TCP": "127.0.0.1:${port}", "Interval": "1s"}`;
    const service = `{"Name": "my-db", "Port": ${port}, "Address": "127.0.0.1", "Tags": ["leader"], "Check": ${check}}`;
    writeFileSync(join(this.#folder, "my-db.json"), `{"Service": ${service}}\n`);
    await this.#does("cat my-db.json && consul services register my-db.json", "Registered service: my-db");
    await this.#until("my-db is found when its check has passed", async () => (await this.#found()).length === 1);
    await this.#does("consul catalog services", "my-db");
    this.#stage.say(`\n(SRV leader.my-db.service.consul, asked of ${this.#stage.addresses.dns})`);
    for (const { name, port: at } of await this.#found()) this.#stage.say(`${name} ${at}`);
    await this.#postgres.kill();
    this.#stage.say("\nThe database is stopped: its check fails, and its name is gone.");
    await this.#until("my-db is not found while its check fails", async () => (await this.#found()).length === 0);
    await this.#postgres.start();
    await this.#until("my-db is found again by itself", async () => (await this.#found()).length === 1);
    this.#stage.say("It is started again: the name is back.");
  }

  async #found(): Promise<readonly { readonly name: string; readonly port: number }[]> {
    const resolver = new Resolver({ timeout: 2000, tries: 1 });
    resolver.setServers([this.#stage.addresses.dns]);
    // NXDOMAIN is an error of the resolver's.
    return resolver.resolveSrv("leader.my-db.service.consul").catch(() => []);
  }

  async template(): Promise<void> {
    this.#stage.title("A file with a login of its own, given back at the end");
    const file = join(this.#folder, "myapp-db-config.yml");
    writeFileSync(join(this.#folder, "myapp"), "#!/bin/sh\necho 'myapp has read its configuration'\nexec sleep 600\n", {
      mode: 0o755,
    });
    const args = ["-template=myapp-db-config.yml.ctmpl:myapp-db-config.yml", "./myapp"];
    const running = this.#stage.background(this.#folder, "consul-template", args);
    await this.#until("the file is rendered", async () => existsSync(file));
    const text = readFileSync(file, "utf8");
    this.#stage.say(`\n$ cat myapp-db-config.yml\n${text.replace(/(password: ").*(")/, "$1(a fresh one)$2")}`);
    const user = /username: "(.+)"/.exec(text)?.[1] ?? "";
    this.#stage.fact(await this.#roleExists(user), "the login in the file exists");
    const { text: said } = await running.stop();
    this.#stage.fact(said.includes("Received interrupt, cleaning up"), "it says that it cleans up");
    this.#stage.fact(!(await this.#roleExists(user)), "its lease was given back: the login is gone");
  }

  async #roleExists(name: string): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.#postgres.url });
    await client.connect();
    const { rowCount } = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
    await client.end();
    return rowCount === 1;
  }

  async rerender(): Promise<void> {
    this.#stage.title("A file that follows a key");
    const file = join(this.#folder, "motd");
    writeFileSync(join(this.#folder, "motd.ctmpl"), 'Today: {{ key "motd" }}\n');
    await this.#does("consul kv put motd cogs", "Success!");
    const running = this.#stage.background(this.#folder, "consul-template", ["-template=motd.ctmpl:motd"]);
    const holds = (text: string) => async () => existsSync(file) && readFileSync(file, "utf8") === text;
    await this.#until("the file is rendered", holds("Today: cogs\n"));
    await this.#does("cat motd && consul kv put motd cams", "Success!");
    await this.#until("the file is rendered again when the key changes", holds("Today: cams\n"));
    await this.#does("cat motd", "Today: cams");
    await running.stop();
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await holds()) return this.#stage.fact(true, what);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.#stage.fact(false, what);
  }
}

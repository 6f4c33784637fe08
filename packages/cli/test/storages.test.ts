import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { type StateServer, startBucket, startHttpStates } from "./state-servers.ts";
import { describeStorage } from "./storage-contract.ts";

/* Every storage of states keeps the same promises: files, a web server, a real PostgreSQL, our own Consul API, a bucket. */

let folder: string;
let web: StateServer;
let bucket: StateServer;
let postgres: PostgresServer;
let consul: DevServer;
let places = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millwright-storages-"));
  [web, bucket, postgres, consul] = await Promise.all([
    startHttpStates(),
    startBucket(),
    startPostgres({ database: "states" }),
    startDevServer(),
  ]);
});
afterAll(async () => {
  await Promise.all([web.stop(), bucket.stop(), postgres.stop(), consul.stop()]);
  rmSync(folder, { recursive: true });
});

/** A name that no test had before. */
const place = () => `place-${++places}`;

describeStorage({
  name: "files",
  type: "local",
  config: () => {
    const name = place();
    return { path: join(folder, name, "terraform.tfstate"), workspace_dir: join(folder, name, "workspaces") };
  },
  afterKill: "free",
  keepsWorkspaces: true,
});

describeStorage({
  name: "a web server",
  type: "http",
  config: () => {
    const address = `${web.address}/${place()}`;
    return { address, lock_address: address, unlock_address: address };
  },
  afterKill: "force-unlock",
  keepsWorkspaces: false,
});

describeStorage({
  name: "PostgreSQL",
  type: "pg",
  config: () => ({ conn_str: postgres.url, schema_name: place() }),
  afterKill: "free",
  keepsWorkspaces: true,
});

describeStorage({
  name: "Consul's keys",
  type: "consul",
  config: () => ({ address: consul.address, path: `states/${place()}` }),
  afterKill: "force-unlock",
  keepsWorkspaces: true,
});

describeStorage({
  name: "Consul's keys, packed",
  type: "consul",
  config: () => ({ address: consul.address, path: `states/${place()}`, gzip: true }),
  afterKill: "force-unlock",
  keepsWorkspaces: true,
});

describeStorage({
  name: "a bucket",
  type: "s3",
  config: () => ({
    bucket: "states",
    key: `${place()}/terraform.tfstate`,
    region: "us-east-1",
    access_key: "a",
    secret_key: "s",
    use_lockfile: true,
    use_path_style: true,
    endpoints: { s3: bucket.address },
  }),
  afterKill: "force-unlock",
  keepsWorkspaces: true,
});

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import { type KubeServer, startKubeServer } from "../test/kube-server.ts";
import { type StateServer, startHttpStates } from "../test/state-servers.ts";
import { describeStorage } from "../test/storage-contract.ts";
import { type ConsulAgent, startConsul } from "./consul-agent.ts";
import { freePort } from "./free-port.ts";

/*
 * States travel between the real terraform and ours, on every backend, with one `.terraform` folder for both; and while one
 * works on a state the other is kept out. Consul and moto_server (for S3) are started where they are on the PATH.
 */

const environment = {
  ...process.env,
  CHECKPOINT_DISABLE: "1",
  TF_CLI_CONFIG_FILE: devNull,
  TF_IN_AUTOMATION: "1",
  TF_INPUT: "0",
  NO_COLOR: "1",
};
const isThere = (program: string, ...args: string[]) =>
  spawnSync(program, args, { stdio: "ignore" }).error === undefined;
const hasTerraform = isThere("terraform", "version");
const hasConsul = isThere("consul", "version");
const hasMoto = isThere("moto_server", "--help");

const children: ChildProcess[] = [];
let web: StateServer;
let postgres: PostgresServer;
let cluster: KubeServer;
let agent: ConsulAgent | undefined;
let s3Port = 0;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "millwright-backends-"));
  [web, postgres, cluster] = await Promise.all([
    startHttpStates(),
    startPostgres({ database: "states" }),
    startKubeServer(),
  ]);
  writeFileSync(join(scratch, "kubeconfig"), cluster.kubeconfig);
  if (hasConsul) agent = await startConsul();
  if (hasMoto) s3Port = await startMoto();
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  agent?.stop();
  await Promise.all([web.stop(), postgres.stop(), cluster.stop()]);
  rmSync(scratch, { recursive: true, force: true });
});

async function answers(url: string): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer && answer.status < 500) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}

async function startMoto(): Promise<number> {
  const port = await freePort();
  children.push(spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" }));
  await answers(`http://127.0.0.1:${port}/moto-api/`);
  await fetch(`http://127.0.0.1:${port}/states`, { method: "PUT" });
  return port;
}

interface Backend {
  readonly name: string;
  readonly runs: boolean;
  readonly workspaces: boolean;
  config(): Readonly<Record<string, unknown>>;
}

let places = 0;
const s3 = () => ({
  bucket: "states",
  key: `place-${++places}/terraform.tfstate`,
  region: "us-east-1",
  access_key: "a",
  secret_key: "s",
  use_lockfile: true,
  use_path_style: true,
  skip_credentials_validation: true,
  skip_requesting_account_id: true,
  skip_metadata_api_check: true,
  endpoints: { s3: `http://127.0.0.1:${s3Port}` },
});
const consul = () => ({ address: new URL(agent!.address).host, scheme: "http", path: `states/place-${++places}` });
const backends: readonly Backend[] = [
  { name: "local", runs: true, workspaces: true, config: () => ({ path: "kept/one.tfstate" }) },
  {
    name: "http",
    runs: true,
    workspaces: false,
    config: () => {
      const address = `${web.address}/place-${++places}`;
      return { address, lock_address: address, unlock_address: address };
    },
  },
  { name: "pg", runs: true, workspaces: true, config: () => ({ conn_str: postgres.url, schema_name: `p${++places}` }) },
  { name: "consul", runs: hasConsul, workspaces: true, config: consul },
  { name: "s3", runs: hasMoto, workspaces: true, config: s3 },
  {
    name: "kubernetes",
    runs: true,
    workspaces: true,
    config: () => ({
      secret_suffix: `place${++places}`,
      config_path: join(scratch, "kubeconfig"),
      labels: { team: "x" },
    }),
  },
];

/** Large enough to be cut into pieces where a backend cuts, also when it is packed. */
const configuration = (text: string) => `resource "terraform_data" "a" {
  input = "${text}-\${terraform.workspace}"
}
resource "terraform_data" "large" {
  input = join("", [for i in range(1000) : join("", [for j in range(12) : sha512("\${i}-\${j}")])])
}
`;

class Folder extends TestFolder {
  /** Not in the way of the servers in this process, which it asks. */
  async terraform(...args: readonly string[]) {
    const child = spawn("terraform", args, { cwd: this.path, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? 128, out, err };
  }
  ours(...args: readonly string[]) {
    return this.run(args, { env: { TF_INPUT: "0" } }, "terraform");
  }
}

describe.runIf(hasTerraform).each(backends.filter(({ runs }) => runs))("the backend $name", (backend) => {
  const folderWith = (config: Readonly<Record<string, unknown>>) => {
    const block = { terraform: { backend: { [backend.name]: config } } };
    return new Folder({ "main.tf": configuration("one"), "backend.tf.json": JSON.stringify(block) });
  };
  const good = ({ code, out, err }: { readonly code: number; readonly out: string; readonly err: string }) =>
    expect(code, out + err).toBe(0);

  test("what terraform wrote is gone on from, and what we wrote by terraform", async () => {
    const folder = folderWith(backend.config());
    try {
      good(await folder.terraform("init"));
      good(await folder.terraform("apply", "-auto-approve"));
      good(await folder.ours("plan", "-detailed-exitcode"));
      folder.write({ "main.tf": configuration("two") });
      good(await folder.ours("apply", "-auto-approve"));
      good(await folder.terraform("plan", "-detailed-exitcode"));
      if (backend.workspaces) {
        good(await folder.ours("workspace", "new", "blue"));
        good(await folder.ours("apply", "-auto-approve"));
        expect((await folder.terraform("workspace", "list")).out).toContain("* blue");
        good(await folder.terraform("plan", "-detailed-exitcode"));
        good(await folder.terraform("workspace", "new", "green"));
        expect((await folder.ours("workspace", "list")).out).toContain("* green");
        good(await folder.ours("workspace", "select", "default"));
        good(await folder.terraform("workspace", "delete", "-force", "blue"));
        expect((await folder.ours("workspace", "list")).out).not.toContain("blue");
        good(await folder.ours("workspace", "delete", "green"));
        expect((await folder.terraform("workspace", "list")).out).not.toContain("green");
      }
      good(await folder.terraform("destroy", "-auto-approve"));
      expect((await folder.ours("state", "list")).out).toBe("");
    } finally {
      folder.remove();
    }
  });

  test("a folder that either has initialised is the same, down to the number of its block", async () => {
    const folder = folderWith(backend.config());
    const saved = () => readFileSync(join(folder.path, ".terraform", "terraform.tfstate"), "utf8");
    try {
      good(await folder.terraform("init"));
      const theirs = saved();
      rmSync(join(folder.path, ".terraform"), { recursive: true });
      good(await folder.ours("init"));
      expect(JSON.parse(saved())).toEqual(JSON.parse(theirs));
      good(await folder.terraform("plan"));
    } finally {
      folder.remove();
    }
  });

  test.runIf(backend.name !== "local")("while one holds the state the other is kept out", async () => {
    const config = backend.config();
    const folder = folderWith(config);
    try {
      good(await folder.terraform("init"));
      good(await folder.terraform("apply", "-auto-approve"));
      const script = fileURLToPath(new URL("../testdata/hold-state.mjs", import.meta.url));
      const holder = spawn(process.execPath, [script, backend.name, JSON.stringify(config)]);
      children.push(holder);
      const [said] = (await once(holder.stdout, "data")) as [Buffer];
      const refused = await folder.terraform("plan");
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Error acquiring the state lock")]);
      holder.kill("SIGKILL");
      await once(holder, "exit");
      if (backend.name !== "pg") good(await folder.ours("force-unlock", "-force", said.toString().trim()));
      // Consul gives the key of a session that was ended to nobody for some seconds, in which Terraform does not wait.
      good(await folder.ours("plan", "-lock-timeout=20s"));

      folder.write({ "main.tf": configuration("three") });
      const theirs = spawn("terraform", ["apply", "-no-color", "-lock-timeout=20s"], {
        cwd: folder.path,
        env: { ...environment, TF_INPUT: "1" },
      });
      children.push(theirs);
      let words = "";
      theirs.stdout.on("data", (text: Buffer) => (words += text.toString()));
      theirs.stderr.on("data", (text: Buffer) => (words += text.toString()));
      await expect.poll(() => words, { timeout: 30_000 }).toContain("Enter a value");
      const kept = await folder.ours("plan");
      expect([kept.code, kept.err]).toEqual([1, expect.stringContaining("Error acquiring the state lock")]);
      theirs.stdin.end("yes\n");
      await once(theirs, "exit");
      good(await folder.ours("plan", "-detailed-exitcode", "-lock-timeout=20s"));
    } finally {
      folder.remove();
    }
  });
});

describe.runIf(hasConsul)("a real Consul", () =>
  describeStorage({
    name: "a real Consul",
    type: "consul",
    config: consul,
    afterKill: "force-unlock",
    keepsWorkspaces: true,
  }),
);

describe.runIf(hasMoto)("moto's S3", () =>
  describeStorage({ name: "moto's S3", type: "s3", config: s3, afterKill: "force-unlock", keepsWorkspaces: true }),
);

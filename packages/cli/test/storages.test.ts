import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendNamed, openBackend } from "@millwright/backends/configure";
import { systemClock } from "@millwright/core/ports";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { type KubeServer, startKubeServer } from "./kube-server.ts";
import { type StateServer, startBucket, startHttpStates } from "./state-servers.ts";
import { describeStorage } from "./storage-contract.ts";

/* Every storage of states keeps the same promises: files, a web server, a real PostgreSQL, our own Consul API, a bucket,
   the API of Kubernetes. */

let folder: string;
let web: StateServer;
let bucket: StateServer;
let postgres: PostgresServer;
let consul: DevServer;
let kube: KubeServer;
let places = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millwright-storages-"));
  [web, bucket, postgres, consul, kube] = await Promise.all([
    startHttpStates(),
    startBucket(),
    startPostgres({ database: "states" }),
    startDevServer(),
    startKubeServer(),
  ]);
});
afterAll(async () => {
  await Promise.all([web.stop(), bucket.stop(), postgres.stop(), consul.stop(), kube.stop()]);
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

describeStorage({
  name: "Secrets of Kubernetes",
  type: "kubernetes",
  config: () => ({
    secret_suffix: place().replace("-", ""),
    host: kube.address,
    token: kube.token,
    cluster_ca_certificate: kube.authority,
  }),
  afterKill: "force-unlock",
  keepsWorkspaces: true,
});

test("Kubernetes has as many Secrets as a state needs; a call that it has no time for is made again; one that it refuses is told with why", async () => {
  const { value: type } = await backendNamed("kubernetes");
  const open = async (token: string) => {
    const config = { secret_suffix: "busy", host: kube.address, token, cluster_ca_certificate: kube.authority };
    return (await openBackend(type!, config, { folder, env: {}, clock: systemClock })).value!.slot("default");
  };
  const { signal } = new AbortController();
  const pieces = () => [...kube.kept.keys()].filter((path) => path.includes("/tfstate-default-busy-part-"));
  await (await open(kube.token)).write(randomBytes(2_500_000));
  expect(pieces()).toHaveLength(2);
  kube.failures.push(429, 503);
  await (await open(kube.token)).write(Buffer.from("state"));
  expect([kube.failures, pieces()]).toEqual([[], []]);
  expect(Buffer.from((await (await open(kube.token)).read(signal))!).toString()).toBe("state");
  await expect((await open("wrong")).read(signal)).rejects.toThrow(
    /cannot be read: .* answered 401: Unauthorized\. Look at the credentials\./,
  );
  await expect((await open(kube.token)).forceUnlock("x", signal)).rejects.toThrow("is held by nobody");
});

test("a state in several Secrets is whole wherever its writing is ended, and that of the next run too", async () => {
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  const { value: type } = await backendNamed("kubernetes");
  const config = {
    secret_suffix: "killed",
    host: kube.address,
    token: kube.token,
    cluster_ca_certificate: kube.authority,
  };
  const slot = (await openBackend(type!, config, { folder, env: {}, clock })).value!.slot("default");
  const { signal } = new AbortController();
  const states = [randomBytes(1_100_000), randomBytes(1_200_000), randomBytes(100)] as const;
  let known: Buffer = states[0];
  await slot.write(known);
  for (let run = 0; run < 60; run++) {
    const next = states[(run * 7) % 3]!;
    // After so many calls that are answered all are refused: as good as none, by one who was killed.
    kube.failures.push(...Array<number>((run * 5) % 16).fill(0), ...Array<number>(60).fill(403));
    const wrote = await slot.write(next).then(
      () => true,
      () => false,
    );
    kube.failures.length = 0;
    const read = Buffer.from((await slot.read(signal))!);
    expect(read.equals(next) || (!wrote && read.equals(known))).toBe(true);
    known = read;
  }
  await slot.write(states[0]);
  await slot.write(states[2]);
  expect([...kube.kept.keys()].filter((path) => path.includes("-killed"))).toHaveLength(1);
}, 60_000);

test("whoever has lost the lock in Kubernetes by force writes over no other run", async () => {
  const { value: type } = await backendNamed("kubernetes");
  const config = {
    secret_suffix: "forced",
    host: kube.address,
    token: kube.token,
    cluster_ca_certificate: kube.authority,
  };
  const open = async () =>
    (await openBackend(type!, config, { folder, env: {}, clock: systemClock })).value!.slot("default");
  const { signal } = new AbortController();
  const info = (ID: string) => ({ ID, Operation: "apply", Info: "", Who: "me", Version: "1", Created: "", Path: "" });
  const [one, other] = [await open(), await open()];
  expect((await one.lock(info("one"), signal)).kind).toBe("held");
  await one.write(Buffer.from("one"));
  await other.forceUnlock("one", signal);
  await one.write(Buffer.from("still one"));
  expect((await other.lock(info("other"), signal)).kind).toBe("held");
  await other.write(Buffer.from("other"));
  await expect(one.write(Buffer.from("one again"))).rejects.toThrow("taken away by force, and other has it now");
  expect(Buffer.from((await one.read(signal))!).toString()).toBe("other");
});

test("credentials for Kubernetes are looked for again where they are known no more", async () => {
  const { value: type } = await backendNamed("kubernetes");
  const tokenFile = join(folder, "token");
  const users = [{ name: "me", user: { tokenFile: "token" } }];
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify({ ...(JSON.parse(kube.kubeconfig) as object), users }));
  writeFileSync(tokenFile, kube.token);
  const config = { secret_suffix: "changing", config_path: join(folder, "kubeconfig") };
  const storage = (await openBackend(type!, config, { folder, env: {}, clock: systemClock })).value!;
  const slot = storage.slot("default");
  const { signal } = new AbortController();
  expect(await slot.read(signal)).toBeUndefined();
  const before = kube.token;
  kube.token = "another";
  await expect(slot.read(signal)).rejects.toThrow("answered 401");
  writeFileSync(tokenFile, "another");
  await slot.write(Buffer.from("state"));
  kube.token = before;
  await storage.close();
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConsulClient } from "@millwright/clients/consul";
import { isKind } from "@millwright/core/errors";
import { startEtcd } from "@millwright/store/etcd-server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startTestServer } from "../test/running.ts";
import { daemonErrors } from "@millwright/daemon/errors";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-server-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the data folder", () => {
  test("is made for this user alone, and keeps the node's id and the data", async () => {
    const dataFolder = join(folder, "deep", "data");
    const first = await startTestServer({ store: { kind: "sqlite", dataFolder } });
    expect((await stat(dataFolder)).mode & 0o777).toBe(0o700);
    await first.client.kv.put("a", "kept");
    const index = (await first.client.kv.get("a")).index;
    await first.close();
    const second = await startTestServer({ store: { kind: "sqlite", dataFolder } });
    expect(second.server.nodeId).toBe(first.server.nodeId);
    const again = await second.client.kv.get("a");
    expect(Buffer.from(again.value!.value).toString()).toBe("kept");
    expect(again.index).toBe(index);
    await second.close();
  });

  test("tells who works on it, for as long as it does", async () => {
    const running = await startTestServer({ store: { kind: "sqlite", dataFolder: folder } });
    const path = join(folder, "running.json");
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({
      pid: process.pid,
      http: [`127.0.0.1:${running.port}`],
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await running.close();
    await expect(stat(path)).rejects.toThrow(/ENOENT/);
  });

  test("of another server is refused, and nothing is left listening", async () => {
    const running = await startTestServer({ store: { kind: "sqlite", dataFolder: folder } });
    await expect(startTestServer({ store: { kind: "sqlite", dataFolder: folder } })).rejects.toMatchObject({
      code: "STORE_LOCKED",
    });
    await running.close();
    await (await startTestServer({ store: { kind: "sqlite", dataFolder: folder } })).close();
  });

  test("that is a file is refused with what to check", async () => {
    await writeFile(join(folder, "file"), "");
    const refusal = await startTestServer({ store: { kind: "sqlite", dataFolder: join(folder, "file") } }).catch(
      (e: unknown) => e,
    );
    expect(isKind(refusal, daemonErrors.dataFolder)).toBe(true);
    expect(String(refusal)).toMatch(/Cannot use the data folder .*file.*Check -data-dir/);
  });

  test("that exists keeps its permissions", async () => {
    const shared = join(folder, "shared");
    await mkdir(shared);
    await chmod(shared, 0o750);
    await (await startTestServer({ store: { kind: "sqlite", dataFolder: shared } })).close();
    expect((await stat(shared)).mode & 0o777).toBe(0o750);
  });
});

test("a start that fails leaves neither port nor store behind", async () => {
  const running = await startTestServer();
  const taken = { kind: "tcp", host: "127.0.0.1", port: running.port } as const;
  const free = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const store = { kind: "sqlite", dataFolder: folder } as const;
  await expect(startTestServer({ http: [free, taken], store })).rejects.toMatchObject({
    kind: daemonErrors.addressTaken,
  });
  await running.close();
  await (await startTestServer({ http: [taken], store })).close();
});

test("one server may listen in several places", async () => {
  const socket = join(folder, "http.sock");
  const running = await startTestServer({
    http: [
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      { kind: "unix", path: socket },
    ],
  });
  const local = new ConsulClient({ address: `unix://${socket}` });
  await local.kv.put("a", "1");
  expect((await running.client.kv.get("a")).value?.key).toBe("a");
  expect(local.address).toBe(`unix://${socket}`);
  await local.close();
  await running.close();
});

test("two servers over one etcd see each other's writes, and outlive it", async () => {
  const etcd = await startEtcd();
  const serverOf = (name: string) => {
    const store = {
      kind: "etcd",
      endpoints: [etcd.endpoint],
      prefix: "test/",
      dataFolder: join(folder, name),
    } as const;
    return startTestServer({ store, nodeName: name });
  };
  const [a, b] = [await serverOf("a"), await serverOf("b")];
  await a.client.kv.put("k", "1");
  const { value, index } = await b.client.kv.get("k");
  expect(Buffer.from(value!.value).toString()).toBe("1");
  expect(a.server.nodeId).not.toBe(b.server.nodeId);
  await expect(serverOf("a")).rejects.toThrow("already in use by process");
  const waiting = b.client.kv.get("k", { index });
  // Long enough for the query to have come to wait; were it slower, it would still have to end with the write below.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await etcd.kill();
  expect(Buffer.from((await a.client.kv.get("k", { consistency: "stale" })).value!.value).toString()).toBe("1");
  await expect(new ConsulClient({ address: a.url }, { attempts: 1 }).kv.put("k", "lost")).rejects.toThrow(/50\d/);
  await etcd.start();
  await expect.poll(() => a.client.kv.put("k", "2").catch(() => false), { timeout: 15_000 }).toBe(true);
  expect(Buffer.from((await waiting).value!.value).toString()).toBe("2");
  await Promise.all([a.close(), b.close()]);
  await etcd.stop();
}, 60_000);

test("closing ends blocked queries at once", async () => {
  const running = await startTestServer();
  await running.client.kv.put("a", "1");
  const { index } = await running.client.kv.get("a");
  const queries = Array.from({ length: 20 }, () => running.client.kv.get("a", { index }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const began = performance.now();
  await running.server.close();
  expect(performance.now() - began).toBeLessThan(1_000);
  for (const query of queries) expect((await query).index).toBe(index);
  await running.close();
});

describe("kill -9 under load", () => {
  test("loses no acknowledged write, and no index goes back", async () => {
    const acknowledged = new Map<string, number>();
    let highest = 0;
    for (let round = 0; round < 4; round++) {
      const { child, port } = await startCrashServer(folder);
      const client = new ConsulClient({ address: `127.0.0.1:${port}` }, { attempts: 1 });
      for (const [key, value] of acknowledged) {
        const { value: entry, index } = await client.kv.get(key);
        expect(Number(Buffer.from(entry?.value ?? "").toString()), key).toBeGreaterThanOrEqual(value);
        expect(index).toBeLessThanOrEqual((await client.kv.list("")).index);
      }
      expect((await client.kv.list("")).index).toBeGreaterThanOrEqual(highest);
      let stopped = false;
      const writers = Array.from({ length: 8 }, async (_, w) => {
        while (!stopped) {
          const value = (acknowledged.get(`w${w}`) ?? 0) + 1;
          try {
            await client.kv.put(`w${w}`, String(value));
            acknowledged.set(`w${w}`, value);
          } catch {
            // The server has been killed: this write was not acknowledged, and may be there or not.
            return;
          }
        }
      });
      const watching = (async () => {
        while (!stopped) highest = Math.max(highest, (await client.kv.list("").catch(() => ({ index: 0 }))).index);
      })();
      await new Promise((resolve) => setTimeout(resolve, 150 + round * 70));
      child.kill("SIGKILL");
      stopped = true;
      await Promise.all([once(child, "exit"), watching, ...writers]);
      await client.close();
    }
    expect(Math.min(...acknowledged.values())).toBeGreaterThan(10);
  });
});

async function startCrashServer(dataFolder: string): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL("../test/crash-server.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dataFolder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout!, "data");
  return { child, port: Number(String(line).trim()) };
}

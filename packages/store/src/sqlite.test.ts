import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { messageOf } from "@millwright/core/errors";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { contractSuite } from "../test/contract-suite.ts";
import { expectKind, get, keysOf, put, putEach, read, seeded, shown, text } from "../test/suite/support.ts";
import type { Store } from "./contract.ts";
import { keyRange, prefixRange, storeErrors } from "./contract.ts";
import { openSqliteStore } from "./sqlite.ts";

const root = mkdtempSync(join(tmpdir(), "millwright-store-"));
let files = 0;
const newPath = () => join(root, `${files++}.db`);
afterAll(() => rmSync(root, { recursive: true }));

contractSuite({
  name: "sqlite",
  dense: true,
  shortestLease: 1,
  open: async () => {
    const store = await openSqliteStore({ path: newPath() });
    return { store, peer: store, close: () => store.close() };
  },
});

describe("after a restart", () => {
  test("everything is as it was: entries, revisions, old reads and watches from the past", async () => {
    const path = newPath();
    let store = await openSqliteStore({ path });
    const first = await putEach(store, "a", "b", "\ufffd", "😀", "nul\0key");
    await store.txn({ then: [put("a", "new"), { op: "deleteRange", range: { from: "b", to: "c" } }] });
    const lease = await store.grantLease(100);
    await store.txn({ then: [put("z", "", lease), put("b", "again")] });
    const before = await everything(store, first);
    await store.close();
    store = await openSqliteStore({ path });
    expect(await everything(store, first)).toEqual(before);
    expect(await putEach(store, "next")).toBe(before.newest.revision + 1);
    await store.close();
  });

  test("what was compacted stays compacted, and the file holds only what can be read", async () => {
    const path = newPath();
    let store = await openSqliteStore({ path });
    for (let i = 0; i < 100; i++) await putEach(store, "k", `gone/${i}`);
    await store.txn({ then: [{ op: "deleteRange", range: prefixRange("gone/") }] });
    const oldest = await putEach(store, "k");
    await putEach(store, "k");
    await store.compact(oldest);
    const before = await everything(store, oldest);
    await store.close();
    expect(rowsIn(path)).toBe(2);
    store = await openSqliteStore({ path });
    expect(await everything(store, oldest)).toEqual(before);
    await expectKind(store.range(prefixRange(""), { revision: oldest - 1 }), storeErrors.compacted);
    await expectKind(read(store, [""], oldest - 1).next(), storeErrors.compacted);
    await store.close();
  });

  test("a revision that was compacted to nothing is not given out again", async () => {
    const path = newPath();
    let store = await openSqliteStore({ path });
    await putEach(store, "k");
    const { revision } = await store.txn({ then: [{ op: "delete", key: "k" }] });
    await store.compact(revision);
    await store.close();
    store = await openSqliteStore({ path });
    expect(await store.revision()).toBe(revision);
    expect(await putEach(store, "k")).toBe(revision + 1);
    await store.close();
  });

  test("a lease has its full time again, keeps its keys, and ends when it is not renewed", async () => {
    const path = newPath();
    let store = await openSqliteStore({ path });
    const lease = await store.grantLease(2);
    const long = await store.grantLease(500);
    const ended = await store.grantLease(500);
    await store.txn({ then: [put("k", "", lease), put("long", "", long)] });
    await store.revokeLease(ended);
    await pause(1_200);
    await store.close();
    store = await openSqliteStore({ path });
    expect(await store.lease(lease)).toEqual({ ttl: 2, remaining: 2, keys: ["k"] });
    expect(await store.lease(ended)).toBeUndefined();
    const reader = read(store, ["k"], (await store.revision()) + 1);
    expect((await reader.changes()).events.map(shown)).toEqual(["delete k"]);
    expect(await keysOf(store)).toEqual(["long"]);
    await store.close();
  });
});

describe("history", () => {
  test("is compacted by itself, in memory and in the file, by count, by age and by size", async () => {
    for (const history of [
      { revisions: 50, milliseconds: 1e9, bytes: 1e9 },
      { revisions: 1e9, milliseconds: 300, bytes: 1e9 },
      // A value of `putEach` has 11 bytes.
      { revisions: 1e9, milliseconds: 1e9, bytes: 600 },
    ]) {
      const path = newPath();
      const store = await openSqliteStore({ path, history });
      for (let i = 0; i < 200; i++) await putEach(store, `k${i % 10}`);
      await expect.poll(() => refusesRevision(store, 1), { timeout: 5_000 }).toBe(true);
      await pause(600);
      expect((await store.range(prefixRange(""))).count).toBe(10);
      await store.close();
      expect(rowsIn(path)).toBeLessThan(80);
    }
  });

  test("a watch that reads too slowly fails with STORE_COMPACTED instead of leaving something out", async () => {
    const store = await openSqliteStore({ path: newPath() });
    const reader = read(store, ["k"], 1);
    await putEach(store, "k", "k");
    expect((await reader.changes()).revision).toBe(1);
    for (let i = 0; i < 2_500; i += 100) await Promise.all(Array.from({ length: 100 }, () => putEach(store, "k")));
    await store.compact(await store.revision());
    const drain = async () => {
      for (;;) await reader.changes();
    };
    await expectKind(drain(), storeErrors.compacted);
    await store.close();
  });
});

describe("kill -9 while writing", () => {
  test("acknowledged steps are there, none is half there, and no revision is missing", {
    timeout: 120_000,
  }, async () => {
    const path = newPath();
    const random = seeded(20);
    let acknowledged = 0;
    let checked = 0;
    for (let round = 0; round < 20; round++) {
      const lines = await writeUntilKilled(path, 5 + random() * 120);
      for (const line of lines) acknowledged = Math.max(acknowledged, Number(line.split(" ")[1]));
      const store = await openSqliteStore({ path });
      const last = Number(text((await get(store, "last"))?.value ?? new Uint8Array()));
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      await expectWhole(store, checked + 1, last);
      checked = last;
      const lost: string[] = [];
      for (const line of lines) {
        const [, n, revision] = line.split(" ").map(Number);
        if ((await get(store, `a/${n}`, revision))?.modified !== revision) lost.push(line);
      }
      expect(lost).toEqual([]);
      await store.close();
    }

    expect(acknowledged).toBeGreaterThan(500);
    const check = new DatabaseSync(path);
    expect(check.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    check.close();
  });
});

describe("a full disk", () => {
  test("refuses writes and keeps nothing of them, serves reads, and writes again when there is room", async () => {
    const path = newPath();
    const store = await openSqliteStore({ path, maxPages: 200 });
    const big = "v".repeat(20_000);
    const answers = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => store.txn({ then: [put(`k${i}`, big)] })),
    );
    const refused = answers.filter((answer) => answer.status === "rejected");
    expect(refused.length).toBe(100);
    expect(messageOf(refused[0]!.reason)).toMatch(/Nothing was written to .*\.db: the disk is full .* Make room/);
    await expectKind(Promise.reject(refused[0]!.reason), storeErrors.unavailable);
    expect(await store.range(prefixRange(""))).toMatchObject({ count: 0, revision: 0 });
    // Smaller writes still fit; the revisions refused are given out now.
    for (let i = 0; i < 10; i++) await store.txn({ then: [put(`k${i}`, big)] });
    const reader = read(store, ["k"], 1);
    for (let i = 1; i <= 10; i++) expect((await reader.changes()).revision).toBe(i);
    while ((await store.txn({ then: [put("filler", big)] }).catch(() => undefined)) !== undefined);
    const full = await store.revision();
    expect((await store.range(prefixRange("k"))).count).toBe(10);
    expect(await store.revision()).toBe(full);
    // Compaction frees the superseded fillers, and with them pages of the file.
    await store.compact(full);
    await store.txn({ then: [put("after", big)] });
    expect((await get(store, "after"))?.modified).toBe(full + 1);
    await store.close();
    const again = await openSqliteStore({ path, maxPages: 200 });
    expect(await again.revision()).toBe(full + 1);
    await again.close();
  });

  test("as the system reports it: what was acknowledged stays, and writing goes on when there is room", async () => {
    const path = newPath();
    // No file of this process may grow above 2,000 blocks of 512 bytes.
    const writer = start("sh", ["-c", `ulimit -S -f 2000; exec "$@"`, "sh", ...script("full-disk-writer.ts"), path]);
    const exited = once(writer, "exit");
    const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
    const said = JSON.parse((await lines.next()).value ?? "{}");
    expect(said).toMatchObject({ unavailable: true, count: said.acknowledged, revision: said.acknowledged });
    expect(said.message).toMatch(/^Nothing was written to .*\.db: the disk (is full|failed)/);
    expect(said.acknowledged).toBeGreaterThan(5);
    execFileSync("prlimit", ["--pid", String(writer.pid), "--fsize=unlimited"]);
    writer.stdin.write("go on\n");
    const { resumed } = JSON.parse((await lines.next()).value ?? "{}");
    await exited;
    expect(resumed).toBe(said.acknowledged + 1);
    const store = await openSqliteStore({ path });
    expect(await store.range(prefixRange("k/"), { countOnly: true })).toMatchObject({
      count: resumed,
      revision: resumed,
    });
    await store.close();
  });
});

describe("a file that cannot be used", () => {
  test("a store that another process has open is refused, naming that process", async () => {
    const path = newPath();
    const writer = startWriter(path);
    await once(writer.stdout, "data");
    const error = await openSqliteStore({ path }).catch((thrown: unknown) => thrown);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    expect(messageOf(error)).toMatch(`already open in process ${writer.pid} on `);
    await expectKind(Promise.reject(error), storeErrors.locked);
    const store = await openSqliteStore({ path });
    await expectKind(openSqliteStore({ path }), storeErrors.locked);
    await store.close();
  });

  test("a newer format, a foreign database, no database and a missing folder are refused and left as they were", async () => {
    const newer = newPath();
    await (await openSqliteStore({ path: newer })).close();
    withDatabase(newer, "PRAGMA user_version = 7");
    const foreign = newPath();
    withDatabase(foreign, "CREATE TABLE t (x)");
    const prose = newPath();
    writeFileSync(prose, "Not a database, but a text that is long enough to be read as one. ".repeat(50));
    const table: { path: string; want: RegExp }[] = [
      { path: newer, want: /format version 7, written by a newer Millwright; this one reads up to version 1/ },
      { path: foreign, want: /is a SQLite database, but not a store of Millwright/ },
      { path: prose, want: /it is not a store \(file is not a database\)/ },
      { path: join(root, "missing", "store.db"), want: /cannot be opened: ENOENT.*Make its folder first/ },
    ];
    for (const { path, want } of table) {
      const before = path.includes("missing") ? undefined : readFileSync(path);
      const error = await openSqliteStore({ path }).catch((thrown: unknown) => thrown);
      expect(messageOf(error)).toMatch(want);
      await expectKind(Promise.reject(error), storeErrors.unusable);
      if (before) expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  test("its files can be read by their owner alone", async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    await putEach(store, "k");
    for (const suffix of ["", "-wal", "-shm", "-lock"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    await store.close();
  });
});

async function everything(store: Store, old: number) {
  const newest = await store.range(prefixRange(""));
  const from = Math.max(old, 1);
  const reader = read(store, [""], from);
  reader.watch.requestProgress();
  const changes: unknown[] = [];
  for (;;) {
    const message = (await reader.next())!;
    if (message.type === "progress") break;
    changes.push([message.revision, message.events.map(shown)]);
  }
  reader.stop();
  return { newest, old: await store.range(prefixRange(""), { revision: old }), changes };
}

async function refusesRevision(store: Store, revision: number): Promise<boolean> {
  return store.range(prefixRange(""), { revision, countOnly: true }).then(
    () => false,
    () => true,
  );
}

function withDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function rowsIn(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare("SELECT count(*) AS rows FROM version").get();
  database.close();
  return Number(row?.["rows"]);
}

// The command line of a script beside the tests.
function script(name: string): [string, string] {
  return [process.execPath, fileURLToPath(new URL(`../test/${name}`, import.meta.url))];
}

function start(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function startWriter(path: string) {
  const [node, file] = script("crash-writer.ts");
  return start(node, [file, path]);
}

// Gives the lines `acknowledged N REVISION` of a writer that was killed so long after it began to write.
async function writeUntilKilled(path: string, milliseconds: number): Promise<string[]> {
  const writer = startWriter(path);
  let output = "";
  writer.stdout.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  while (!output.includes("\n")) {
    if (writer.exitCode !== null) throw new Error(`the writer ended by itself with ${writer.exitCode}`);
    await pause(5);
  }
  await pause(milliseconds);
  writer.kill("SIGKILL");
  await once(writer, "close");
  expect(writer.signalCode).toBe("SIGKILL");
  return output
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.startsWith("acknowledged"));
}

// Every step from `from` to `last` was one revision of its own, with all its changes.
async function expectWhole(store: Store, from: number, last: number): Promise<void> {
  const revision = await store.revision();
  expect(revision).toBe(last);
  const { entries } = await store.range(prefixRange(""));
  const first = Math.max(1, last - 49);
  const kept = Array.from({ length: Math.min(last, 50) }, (_, i) => first + i);
  const want = last === 0 ? [] : [...kept.map((n) => `a/${n}`), ...kept.map((n) => `b/${n}`), "last"];
  expect(entries.map((e) => e.key)).toEqual(want.toSorted());
  if (last === 0) return;
  const reader = read(store, ["a/", "b/", "last"], from);
  const seen: string[] = [];
  const wanted: string[] = [];
  for (let n = from; n <= last; n++) {
    const { revision: at, events } = await reader.changes();
    seen.push(`${at}: ${events.map(shown)}`);
    const gone = n > 50 ? [`delete a/${n - 50}`, `delete b/${n - 50}`] : [];
    wanted.push(`${n}: ${[`put a/${n}=${n}`, `put b/${n}=${n}`, `put last=${n}`, ...gone]}`);
  }
  expect(seen).toEqual(wanted);
  reader.stop();
  expect((await store.range(keyRange("last"))).entries[0]?.version).toBe(last);
}

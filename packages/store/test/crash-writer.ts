// Writes to the store file named by its argument until it is killed, and prints each step once it is acknowledged. Step n
// puts `a/n` and `b/n`, moves `last`, and deletes what step n - 50 put.
import { writeSync } from "node:fs";
import { openSqliteStore } from "../src/sqlite.ts";

const store = await openSqliteStore({ path: process.argv[2]! });
const last = await store.range({ from: "last", to: "last\0" });
let next = Number(Buffer.from(last.entries[0]?.value ?? []).toString() || "0");
say(`opened ${await store.revision()}`);

async function write(): Promise<never> {
  for (;;) {
    const n = ++next;
    const value = Buffer.from(String(n));
    const { revision } = await store.txn({
      then: [
        { op: "put", key: `a/${n}`, value },
        { op: "put", key: `b/${n}`, value },
        { op: "put", key: "last", value },
        { op: "delete", key: `a/${n - 50}` },
        { op: "delete", key: `b/${n - 50}` },
      ],
    });
    say(`acknowledged ${n} ${revision}`);
  }
}

// At once, so that no line is lost with the process. A pipe that is full for now is tried again.
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

await Promise.all(Array.from({ length: 10 }, write));

// Opens the store file named by its argument under a limit on the size of files, writes until that is met, says what
// happened, and goes on once a line arrives on its standard input (the limit was raised then). One JSON line an answer.
import { once } from "node:events";
import { writeSync } from "node:fs";
import { isKind, messageOf } from "@millwright/core/errors";
import { storeErrors } from "../src/contract.ts";
import { openSqliteStore } from "../src/sqlite.ts";

const store = await openSqliteStore({ path: process.argv[2]! });
const value = Buffer.alloc(50_000, "v");
let n = 0;
const write = () => store.txn({ then: [{ op: "put", key: `k/${n++}`, value }] });
const say = (answer: unknown) => writeSync(1, `${JSON.stringify(answer)}\n`);

const refusals: unknown[] = [];
let acknowledged = 0;
while (refusals.length < 30) {
  const answers = await Promise.allSettled([write(), write(), write()]);
  for (const answer of answers) {
    if (answer.status === "fulfilled") acknowledged = Math.max(acknowledged, answer.value.revision);
    else refusals.push(answer.reason);
  }
}
const { count, revision } = await store.range({ from: "k/" });
const unavailable = refusals.every((refusal) => isKind(refusal, storeErrors.unavailable));
say({ acknowledged, count, revision, unavailable, message: messageOf(refusals.at(-1)) });
await once(process.stdin, "data");
say({ resumed: (await write()).revision });
process.kill(process.pid, "SIGKILL");

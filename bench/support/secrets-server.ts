// The secrets server in a process of its own, over a durable store in a new folder. Says its port; on SIGTERM how late its event
// loop was, in milliseconds, and ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchLoop } from "./loop-watch.ts";
import { silentLog, systemClock } from "@millwright/core/ports";
import { listen } from "@millwright/daemon/listener";
import { openSecrets } from "@millwright/secrets/secrets";
import { openSqliteStore } from "@millwright/store/sqlite";

const folder = mkdtempSync(join(tmpdir(), "millwright-bench-"));
const store = await openSqliteStore({ path: join(folder, "secrets.db") });
const secrets = await openSecrets({ store, version: "bench" });
const listener = await listen({
  address: { kind: "tcp", host: "127.0.0.1", port: 0 },
  service: secrets.handle,
  clock: systemClock,
  log: silentLog,
  requestId: () => crypto.randomUUID(),
});
const loop = watchLoop();
process.on("SIGTERM", async () => {
  const { delay, held, longestHeld } = loop();
  console.log(`delay ${[delay, held, longestHeld].map((time) => time.toFixed(1)).join(" ")}`);
  await listener.close(0);
  await secrets.close();
  await store.close();
  rmSync(folder, { recursive: true });
  process.exit(0);
});
console.log(`port ${listener.address.kind === "tcp" ? listener.address.port : 0}`);

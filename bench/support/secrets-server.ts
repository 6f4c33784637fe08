// The secrets server in a process of its own, over a durable store in a new folder. Says its port; on SIGTERM the 99.9th
// percentile of its event loop's delay in milliseconds, and ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
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
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on("SIGTERM", async () => {
  console.log(`delay ${(delay.percentile(99.9) / 1e6).toFixed(1)}`);
  await listener.close(0);
  await secrets.close();
  await store.close();
  rmSync(folder, { recursive: true });
  process.exit(0);
});
console.log(`port ${listener.address.kind === "tcp" ? listener.address.port : 0}`);

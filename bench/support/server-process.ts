// A whole server of ours in a process of its own, started by startOwnServer (own-server.ts) over an IPC channel: it says where
// it listens, answers each message with figures of its event loop since the one before, and ends on SIGTERM or with who started it.
import { startServer } from "@millwright/server/server";
import type { OwnServerOptions } from "./own-server.ts";
import { watchLoop } from "./loop-watch.ts";

const { store, secretsStore, vault = false } = JSON.parse(process.argv[2] ?? "{}") as OwnServerOptions;
const anyPort = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
const server = await startServer({
  http: [anyPort],
  vault: vault ? [anyPort] : [],
  store,
  ...(secretsStore ? { secretsStore } : {}),
  nodeName: "bench",
});
const figures = watchLoop();
process.on("message", () => process.send?.(figures()));
process.once("disconnect", () => process.exit(1));
process.once("SIGTERM", () => void server.close().then(() => process.exit(0)));
const portOf = (address = server.http[0]) => (address?.kind === "tcp" ? address.port : 0);
process.send?.({ http: portOf(), vault: vault ? portOf(server.vault[0]) : 0 });

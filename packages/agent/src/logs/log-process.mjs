// The log process of a node's agent: `node log-process.mjs FOLDER`. What it is made of is TypeScript; with a cache of the
// stripped sources it needs a third less memory.
import { enableCompileCache, flushCompileCache } from "node:module";

enableCompileCache();
const { runLogProcess } = await import("./log-process.ts");
flushCompileCache();
await runLogProcess(process.argv[2]);

// The main job on embedded defaults; `--check` does it unattended and exits non-zero when a step falls short.
import { join } from "node:path";
import { ready, root, runToItsEnd } from "./bootstrap.mjs";

const node = ready();
const main = join(root, "scripts", "start", "main.ts");
process.exit(await runToItsEnd(node, [main, ...process.argv.slice(2)], { cwd: process.cwd() }));

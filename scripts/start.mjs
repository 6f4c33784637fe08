// The main job on embedded defaults; `--check` does it unattended and exits non-zero when a step falls short.
import { join } from "node:path";
import { ready, root, run } from "./bootstrap.mjs";

const node = ready();
process.exit(run(node, [join(root, "scripts", "start", "main.ts"), ...process.argv.slice(2)], { cwd: process.cwd() }));

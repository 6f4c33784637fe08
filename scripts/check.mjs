// Types, format and lint of the whole tree: what `npm test` runs first.
import { join } from "node:path";
import { ready, root, run } from "./bootstrap.mjs";

const node = ready();
const bin = (...parts) => join(root, "node_modules", ...parts);
const types = run(node, [bin("typescript", "bin", "tsc"), "-p", "tsconfig.json"]);
const style = run(node, [bin("@biomejs", "biome", "bin", "biome"), "check", "."]);
process.exit(types || style);

// `npm run bench -- NAME`: runs bench/NAME.ts, which prints a table with medians of several runs, a peer beside it.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ready, root, run } from "./bootstrap.mjs";

const node = ready();
const names = readdirSync(join(root, "bench"))
  .filter((name) => name.endsWith(".ts") && !name.startsWith("support"))
  .map((name) => name.slice(0, -3));
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !existsSync(join(root, "bench", `${name}.ts`))) {
  console.error(
    `${name === undefined ? "Which one?" : `There is no bench "${name}".`} npm run bench -- NAME, where NAME is one of: ${names.join(", ")}`,
  );
  process.exit(1);
}
process.exit(run(node, [join(root, "bench", `${name}.ts`), ...rest]));

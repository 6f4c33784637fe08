// All tests, real parts included. Arguments go to vitest (`npm test -- packages/hcl`).
import { join } from "node:path";
import { ready, root, run, vitest } from "./bootstrap.mjs";
import { ensureDebianPackages } from "./debian.mjs";

const node = ready();
ensureDebianPackages();
const args = process.argv.slice(2);
if (args.length === 0) {
  const checked = run(node, [join(root, "scripts", "check.mjs")]);
  if (checked !== 0) process.exit(checked);
}
process.exit(vitest(node, args));

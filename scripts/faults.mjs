// The long way round: a million fuzzed inputs, kills at random instants, full disks, cut networks. Slow on purpose.
import { join } from "node:path";
import { ready, root, vitest } from "./bootstrap.mjs";
import { ensureDebianPackages } from "./debian.mjs";

const node = ready();
ensureDebianPackages();
const env = { ...process.env, FUZZ_INPUTS: process.env.FUZZ_INPUTS ?? "1000000" };
const args = ["--config", join(root, "vitest.faults.config.ts"), ...process.argv.slice(2)];
process.exit(vitest(node, args, { env }));

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ProviderSchema } from "@millwright/provider/schema";
import { builtinProviders } from "@millwright/providers/registry";
import { writeTypes } from "../src/types/write.ts";

/** What the TypeScript compiler says of a folder, a line each. */
export function checkTypes(folder: string): string {
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
  return stdout + stderr;
}

/** Writes the types of the built-in providers into a folder. */
export async function writeBuiltinTypes(folder: string): Promise<ReturnType<typeof writeTypes>> {
  const schemas = new Map<string, ProviderSchema>();
  for (const { address, load } of builtinProviders) {
    const provider = await load();
    schemas.set(address.split("/").at(-1)!, await provider.schema());
    await provider.close();
  }
  return writeTypes(folder, schemas);
}

import { join } from "node:path";
import { buildProvider } from "../src/commands/provider-build.ts";
import type { TestFolder } from "../test/folder.ts";

/**
 * Makes programs of the `*.provider.ts` files among a script's files, for the real tool; gives the path of a CLI configuration
 * that has it install them. `place` is a folder of the test's own.
 */
export async function serveProviders(files: Readonly<Record<string, string>>, place: TestFolder): Promise<string> {
  const mirror = join(place.path, "mirror");
  for (const name of Object.keys(files).filter((file) => file.endsWith(".provider.ts"))) {
    place.write({ [name]: files[name]! });
    const { value, diagnostics } = await buildProvider({ file: join(place.path, name), out: mirror, platforms: [] });
    if (!value) throw new Error(diagnostics.map(({ detail }) => detail).join("\n"));
  }
  place.write({ "cli.tfrc": `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n` });
  return join(place.path, "cli.tfrc");
}

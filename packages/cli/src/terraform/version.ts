import { servedTerraformVersion } from "@millwright/engine/provider-pool";
import { providerSourceText } from "@millwright/engine/addresses";
import type { Locks } from "@millwright/sources/lock-file";
import { readLocks } from "../init/folder-locks.ts";
import type { CommandIo } from "../io.ts";
import { productVersion } from "../product.ts";
import { runCommand } from "./command.ts";
import { viewFlags } from "./options.ts";
import { builtinRegistry } from "./registry.ts";
import type { CommandStyle } from "./session.ts";

export function runVersion(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json },
      usage: "version [-json]",
      about:
        "Prints the versions of the program, of its built-in providers, and of the providers that the folder's lock file pins.",
      example: "version -json",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const locks = readLocks(session.folder);
        if (!(await session.report(locks.diagnostics))) return 1;
        const versions = selections(locks.value);
        const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
        if (values.json) {
          const document = {
            terraform_version: servedTerraformVersion,
            millwright_version: productVersion,
            platform,
            provider_selections: Object.fromEntries(versions.map(({ address, version }) => [address, version])),
            terraform_outdated: false,
          };
          await io.stdout(`${JSON.stringify(document, null, 2)}\n`);
          return 0;
        }
        await io.stdout(
          `Millwright v${productVersion} (serves the command line of Terraform v${servedTerraformVersion})\non ${platform}\n`,
        );
        for (const { address, version, note } of versions)
          await io.stdout(`+ provider ${address} v${version}${note}\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

interface Selection {
  readonly address: string;
  readonly version: string;
  readonly note: "" | " (built in)";
}

// What a lock file pins is installed, also where a provider of that name is built in.
function selections(locks: Locks): Selection[] {
  const registry = builtinRegistry();
  const builtIn = registry.known().map((source): Selection => {
    return { address: providerSourceText(source), version: registry.find(source)!.version, note: " (built in)" };
  });
  const locked = [...locks].map(([address, { version }]): Selection => ({ address, version, note: "" }));
  const byAddress = new Map([...builtIn, ...locked].map((selection) => [selection.address, selection]));
  return [...byAddress.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

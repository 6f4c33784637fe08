import { servedTerraformVersion } from "@millwright/engine/provider-pool";
import { providerSourceText } from "@millwright/engine/addresses";
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
      about: "Prints the versions of the program and of its built-in providers.",
      example: "version -json",
      arguments: [0, 0],
      run: async ({ values }) => {
        const registry = builtinRegistry();
        const versions = Object.fromEntries(
          registry.known().map((source) => [providerSourceText(source), registry.find(source)!.version]),
        );
        const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
        if (values.json) {
          const document = {
            terraform_version: servedTerraformVersion,
            millwright_version: productVersion,
            platform,
            provider_selections: versions,
            terraform_outdated: false,
          };
          await io.stdout(`${JSON.stringify(document, null, 2)}\n`);
          return 0;
        }
        await io.stdout(
          `Millwright v${productVersion} (serves the command line of Terraform v${servedTerraformVersion})\non ${platform}\n`,
        );
        for (const [address, version] of Object.entries(versions))
          await io.stdout(`+ provider ${address} v${version} (built in)\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

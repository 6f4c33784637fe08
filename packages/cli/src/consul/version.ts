import { consulVersion } from "@millwright/core/followed-versions";
import type { FlagTable } from "../flags.ts";
import { refuse, type ServiceCommand } from "./command.ts";

const versionFlags = {
  format: { kind: "string", value: "FORMAT", help: "pretty or json; pretty by default." },
} as const satisfies FlagTable;

/** `version`: that of the API which is served. */
export const versionCommand: ServiceCommand<typeof versionFlags> = {
  usage: "version [flags]",
  about: "Prints the version of the API that is served.",
  examples: ["version", "version -format=json"],
  flags: versionFlags,
  run: async ({ values, io }) => {
    const { format = "pretty" } = values;
    if (format === "json") {
      const shown = {
        Version: consulVersion,
        Revision: "millwright",
        Prerelease: "",
        RPC: { Default: 2, Min: 2, Max: 3 },
      };
      await io.stdout(`${JSON.stringify(shown, null, 4)}\n`);
      return 0;
    }
    if (format !== "pretty") return refuse(io, `Invalid format ${JSON.stringify(format)}: write pretty or json`);
    await io.stdout(`Consul v${consulVersion} (served by Millwright)\n`);
    return 0;
  },
};

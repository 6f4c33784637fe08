import { hasErrors } from "@millwright/core/diagnostics";
import { importObject } from "@millwright/engine/import";
import { parseAddress } from "@millwright/engine/parse-address";
import { collectVariables } from "@millwright/engine/variables";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { loadFolder } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import { stateOptions } from "./open-state.ts";
import { ignoreRemoteVersion, jsonLinesFlag, stateFlags, variableFlags, viewFlags } from "./options.ts";
import { keepOpen } from "./recover.ts";
import { withPool, evaluatorContext } from "./run-context.ts";
import type { CommandStyle } from "./session.ts";
import { withRecovered } from "./with-state.ts";

export function runImport(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        ...variableFlags,
        ...stateFlags,
        "ignore-remote-version": ignoreRemoteVersion,
        "no-color": viewFlags["no-color"],
        ...jsonLinesFlag,
        input: { kind: "bool", help: "Taken for scripts that give it." },
      },
      usage: "import [flags] ADDRESS ID",
      about:
        "Takes an object that exists already into the state, so that it is managed from\nnow on. What the ID is, the provider's documentation says.",
      example: "import consul_key_prefix.app myservice/mycomponent/",
      jsonLines: true,
      arguments: [2, 2],
      run: async ({ session, values, occurrences, args: [text, id] }) => {
        const parsed = parseAddress(text!);
        if (parsed?.kind !== "instance") {
          const detail = `"${text}" is not the address of a resource instance, such as consul_key_prefix.app.`;
          return session.refuse("Invalid address", detail);
        }
        const folder = await loadFolder(session, occurrences);
        const given = variableSources(session, occurrences);
        const variables = collectVariables(folder.configuration.root, given.sources);
        if (!(await session.report([...folder.diagnostics, ...given.diagnostics, ...variables.diagnostics]))) return 1;
        return withRecovered(session, stateOptions(values, occurrences, "OperationTypeImport"), (open, pending) =>
          withPool(session, async (pool) => {
            const context = evaluatorContext(session, {
              configuration: folder.configuration,
              variables: variables.value.final,
              applying: false,
            });
            await session.say(`${parsed.address.text}: Importing from ID ${JSON.stringify(id)}...`);
            const result = await importObject(context, open.kept.current.state, pool, parsed.address, id!);
            if (!(await session.report(result.diagnostics)) || hasErrors(result.diagnostics)) return 1;
            await open.kept.write(result.value, "always");
            const stillOpen = pending.filter((entry) => entry.address !== parsed.address.text);
            await keepOpen(open, stillOpen);
            const shown = "\nImport successful!\n\nThe object is in the state now, and is managed from here on.";
            await session.say("Import successful!", { shown });
            return 0;
          }),
        );
      },
    },
    args,
    io,
    style,
  );
}

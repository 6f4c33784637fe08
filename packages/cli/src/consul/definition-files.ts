import { resolve } from "node:path";
import { readConfigFiles } from "@millwright/agent/config-files";
import { readSettings } from "@millwright/agent/settings";
import type { AgentDefinition } from "@millwright/clients/consul-agent";
import { hasErrors } from "@millwright/core/diagnostics";
import { OperationalError } from "@millwright/core/errors";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics, sourcesIn } from "../views/diagnostics.ts";
import { refuse } from "./command.ts";

/** The services of files in the agent's form, or the exit code after what is wrong with them was said. */
export async function readDefinitions(
  files: readonly string[],
  io: CommandIo,
): Promise<readonly AgentDefinition[] | number> {
  try {
    const read = await readConfigFiles(
      files.map((file) => resolve(io.cwd, file)),
      [],
    );
    const settings = readSettings(read.value);
    const diagnostics = [...read.diagnostics, ...settings.diagnostics];
    if (diagnostics.length > 0) await io.stderr(renderDiagnostics(diagnostics, io.view, sourcesIn(io.cwd), false));
    if (hasErrors(diagnostics)) return 1;
    const { services } = settings.value;
    if (services.length === 0)
      return refuse(io, `There is no service in ${files.join(", ")}: write service { name = … }.`);
    return services.map((service) => service as AgentDefinition);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refuse(io, error.message);
  }
}

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import { hasErrors } from "@millwright/core/diagnostics";
import type { GateSettings } from "@millwright/gates/gate-spec";
import { sourceFile } from "@millwright/hcl/source-file";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics, sourcesIn } from "../views/diagnostics.ts";
import { readWaveSettings } from "../waves/settings.ts";
import { Refusal } from "./command.ts";

/**
 * The gates of a file, for a job to take along; `waves.sizes` in it are not for jobs, whose batches are as `max_parallel` says.
 * Undefined where something in it is wrong, which was told. Throws a refusal where it is not there.
 */
export async function readJobGates(name: string, io: CommandIo): Promise<GateSettings | undefined> {
  const path = resolve(io.cwd, name);
  if (!existsSync(path)) throw new Refusal(`There is no file ${name}, which is to say what the gates are.`);
  const { value, diagnostics } = readWaveSettings(sourceFile(name, readFileSync(path)), io.env);
  if (diagnostics.length > 0) await io.stderr(renderDiagnostics(diagnostics, io.view, sourcesIn(io.cwd), false));
  return hasErrors(diagnostics) ? undefined : value;
}

/** Throws a refusal where a server took a job and passed over its gates, as one does that does not know them. */
export async function checkGatesTaken(client: NomadClient, id: string, options: NomadCallOptions): Promise<void> {
  const { value } = await client.jobs.get(id, options);
  if (!value || value.Wire.Gates) return;
  throw new Refusal(
    `The server has the job and knows nothing of gates, as servers that are not Millwright's: its deployment goes on without asking any. To stop it:\n  deployment pause, or job revert ${id}`,
  );
}

import { type Diagnostic, errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Provisioner } from "@millwright/provisioners/provisioner";
import { connectionSchema } from "@millwright/provisioners/connection";
import type { BlockSchema } from "@millwright/provider/schema";
import {
  asMap,
  isKnown,
  isMarkedDeep,
  isNull,
  isWhollyKnown,
  objectValue,
  unmarkDeep,
  type Value,
} from "@millwright/value/value";
import type { InstanceAddress, ModuleInstance } from "../addresses.ts";
import { decodeProviderConfig } from "../decode-body.ts";
import type { Evaluator, InstanceData } from "../evaluator.ts";
import type { RunPorts } from "../ports.ts";
import type { ProvisionerBlock } from "./blocks.ts";

/** What running provisioners needs of an apply. */
export interface ProvisionRun {
  readonly evaluator: Evaluator;
  readonly ports: RunPorts;
  readonly diagnostics: Diagnostic[];
}

/**
 * Runs provisioners for one object, one after the other, `self` being that object. False where one failed whose failure is to
 * count; the others after it are not run then.
 */
export async function provision(
  run: ProvisionRun,
  blocks: readonly ProvisionerBlock[],
  address: InstanceAddress,
  instance: InstanceData,
): Promise<boolean> {
  for (const block of blocks) {
    const fault = await provisionOnce(run, block, address, instance);
    if (fault.length === 0) continue;
    if (block.onFailure === "fail") {
      run.diagnostics.push(...fault);
      return false;
    }
    run.diagnostics.push(...fault.map((diagnostic) => ({ ...diagnostic, severity: "warning" as const })));
  }
  return true;
}

async function provisionOnce(
  run: ProvisionRun,
  block: ProvisionerBlock,
  address: InstanceAddress,
  instance: InstanceData,
): Promise<readonly Diagnostic[]> {
  const { evaluator, ports } = run;
  const { type } = block;
  const provisioner = await evaluator.context.provisioners?.find(type);
  if (!provisioner) return [unknownProvisioner(evaluator, block)];
  const decoded = decodeProvisioner(evaluator, block, provisioner, address.module, instance);
  if (hasErrors(decoded.diagnostics)) return decoded.diagnostics.map((one) => ({ address: address.text, ...one }));
  const { config, connection } = decoded;
  if (!isWhollyKnown(config) || (connection && !isWhollyKnown(connection))) return [notKnown(block, address)];
  const what = { address: address.text, provisioner: type };
  ports.events({ kind: "provision-start", ...what });
  const isSecret = isMarkedDeep(config) || (connection !== undefined && isMarkedDeep(connection));
  let hasSaid = false;
  const output = (line: string) => {
    if (isSecret && hasSaid) return;
    hasSaid = true;
    const shown = isSecret ? "(output suppressed due to sensitive value in config)" : line;
    ports.events({ kind: "provision-output", ...what, line: shown });
  };
  try {
    await provisioner.run({
      config: unmarkDeep(config)[0],
      ...(connection ? { connection: unmarkDeep(connection)[0] } : {}),
      folder: evaluator.context.cwd,
      env: evaluator.context.env ?? {},
      clock: ports.clock,
      output,
      signal: ports.stop,
    });
    ports.events({ kind: "provision-done", ...what });
    return [];
  } catch (error) {
    if (!(error instanceof OperationalError) && !ports.stop.aborted) throw error;
    ports.events({ kind: "provision-failed", ...what });
    const detail = isSecret
      ? "Its configuration has sensitive values, so that what it said is not shown."
      : messageOf(error);
    const place = { subject: rangeOf(block.header), address: address.text };
    return [errorDiagnostic(`${type} provisioner error`, detail, place)];
  }
}

/** A provisioner's configuration and, where one is written, its connection; marked. */
export interface DecodedProvisioner {
  readonly config: Value;
  readonly connection?: Value;
  readonly diagnostics: readonly Diagnostic[];
}

/** Evaluates a provisioner's arguments for one object, and has them looked at. */
export function decodeProvisioner(
  evaluator: Evaluator,
  block: ProvisionerBlock,
  { schema, validate, connects }: Provisioner,
  module: ModuleInstance,
  instance: InstanceData,
): DecodedProvisioner {
  const decode = (body: ProvisionerBlock["body"], by: BlockSchema) =>
    decodeProviderConfig(evaluator, body, by, module, instance);
  const { value: config, diagnostics } = decode(block.body, schema);
  const found = [...diagnostics];
  if (!hasErrors(found)) {
    const place = { subject: rangeOf(block.header) };
    found.push(
      ...validate(unmarkDeep(config)[0]).map((why) => errorDiagnostic(`Invalid ${block.type} provisioner`, why, place)),
    );
  }
  let connection: Value | undefined;
  for (const body of block.connections) {
    const one = decode(body, connectionSchema);
    found.push(...one.diagnostics);
    connection = connection ? over(connection, one.value) : one.value;
  }
  const [, upper = block.connections[0]] = block.connections;
  const host = connection && asMap(unmarkDeep(connection)[0]).get("host");
  if (connects && upper && host && isNull(host) && !hasErrors(found)) {
    const detail = `The argument "host" is required for the ${block.type} provisioner to reach a machine, but no definition was found.`;
    found.push(errorDiagnostic("Missing required argument", detail, { subject: rangeOf(upper.missingItem) }));
  }
  return { config, ...(connection ? { connection } : {}), diagnostics: found };
}

/** That there is no provisioner of a name. */
export function unknownProvisioner(evaluator: Evaluator, { type, header }: ProvisionerBlock): Diagnostic {
  const names = evaluator.context.provisioners?.names ?? [];
  const detail =
    names.length === 0
      ? `There are no provisioners here, and so none called "${type}".`
      : `There is no provisioner "${type}". There are ${names.join(", ")}.`;
  return errorDiagnostic("Unknown provisioner", detail, { subject: rangeOf(header) });
}

// What the block itself says of its connection counts before what the resource says.
function over(under: Value, upper: Value): Value {
  const merged = new Map(asMap(under));
  for (const [name, value] of asMap(upper)) if (!isKnown(value) || !isNull(value)) merged.set(name, value);
  return objectValue(merged);
}

function notKnown({ type, header }: ProvisionerBlock, { text }: InstanceAddress): Diagnostic {
  const detail = `A value that the ${type} provisioner of ${text} is given is not known, though all it depends on was made.`;
  return errorDiagnostic(`${type} provisioner error`, detail, { subject: rangeOf(header), address: text });
}

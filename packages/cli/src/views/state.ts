import { providerSourceText, parseProviderConfigAddress } from "@millwright/engine/addresses";
import { readObject } from "@millwright/engine/objects";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import type { State, StateInstance } from "@millwright/engine/state";
import { instancesOf } from "@millwright/engine/state";
import type { View } from "../io.ts";
import { diffObject } from "./diff.ts";
import { renderOutputs } from "./outputs.ts";
import { lineText } from "./lines.ts";
import { styleOf } from "./style.ts";

/** The whole state for people: every instance as a block, and the outputs. */
export async function renderState(state: State, pool: ProviderPool, view: View): Promise<string> {
  const parts: string[] = [];
  for (const entry of instancesOf(state))
    if (entry.instance.current) parts.push(await renderStateInstance(entry, pool, view));
  if (state.outputs.size > 0) parts.push(`Outputs:\n\n${renderOutputs(state.outputs)}`);
  return parts.length === 0 ? "The state file is empty. No resources are represented.\n" : parts.join("\n");
}

/** One instance as a block, as it would be written; sensitive values are not shown. */
export async function renderStateInstance(
  { address, resource, instance }: StateInstance,
  pool: ProviderPool,
  view: View,
): Promise<string> {
  const style = styleOf(view);
  const object = instance.current;
  const provider = parseProviderConfigAddress(resource.provider);
  const word = address.resource.mode === "data" ? "data" : "resource";
  const tainted = object?.status === "tainted" ? " (tainted)" : "";
  const head = `# ${address.text}:${tainted}\n${word} ${JSON.stringify(address.resource.type)} ${JSON.stringify(address.resource.name)} {\n`;
  if (!object || !provider) return `${head}}\n`;
  const loaded = await pool.load([provider.source]);
  const schema = pool.resourceSchema(provider.source, address.resource);
  if (loaded.length > 0 || !schema)
    return `${head}    # its provider ${providerSourceText(provider.source)} is not available here\n}\n`;
  const { value } = await readObject(object, address, schema, await pool.any(provider.source));
  const lines = diffObject(value, value, schema.block, { style, forces: new Set(), everything: true });
  const body = lines.map((line) =>
    lineText({ ...line, symbol: " " }, style)
      .slice(4)
      .trimEnd(),
  );
  return `${head}${body.map((line) => `${line}\n`).join("")}}\n`;
}

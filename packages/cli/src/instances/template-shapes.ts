import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@millwright/engine/configuration";
import { outputTypes } from "@millwright/engine/validate";
import { unknownValue } from "@millwright/value/value";
import type { TemplateShape } from "millwright/template-types";
import { hasConfiguration, loadFolder } from "../terraform/folder.ts";
import { evaluatorContext, newPool } from "../terraform/run-context.ts";
import type { Session } from "../terraform/session.ts";
import { instanceSession } from "./instance-session.ts";
import { listsInstances } from "./list-folder.ts";
import { loadListing } from "./listing.ts";

/** So many folders deep templates are looked for below a list. */
const depth = 3;

/** What the templates that a list uses, and others below its folder, are given and give; by the paths that name them. */
export async function templateShapes(session: Session): Promise<ReadonlyMap<string, TemplateShape>> {
  const { list } = await loadListing(session);
  const used = [...list.instances.values()].map(({ template }) => template);
  const shapes = new Map<string, TemplateShape>();
  for (const template of [...new Set([...templatesBelow(session.folder, "", depth), ...used])].sort()) {
    const shape = await shapeOf(session, template);
    if (shape) shapes.set(template.startsWith("../") ? template : `./${template}`, shape);
  }
  return shapes;
}

function templatesBelow(folder: string, path: string, deeper: number): string[] {
  const below = readdirSync(join(folder, path), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules",
  );
  return below.flatMap(({ name }) => {
    const inner = path === "" ? name : `${path}/${name}`;
    const own = hasConfiguration(join(folder, inner)) && !listsInstances(join(folder, inner)) ? [inner] : [];
    return deeper > 1 ? [...own, ...templatesBelow(folder, inner, deeper - 1)] : own;
  });
}

/** Undefined where there is no such folder; where its configuration has errors, its outputs are of any type. */
async function shapeOf(session: Session, template: string): Promise<TemplateShape | undefined> {
  const inside = instanceSession(session, { name: "types", template, inputs: [], listFiles: new Set() });
  let configuration: Configuration;
  try {
    ({ configuration } = await loadFolder(inside));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const { variables } = configuration.root;
  const given = new Map([...variables].map(([name, { type }]) => [name, unknownValue(type)]));
  const pool = await newPool(inside);
  try {
    const context = evaluatorContext(inside, { configuration, variables: given, applying: false });
    const inputs = [...variables.values()]
      .filter(({ ephemeral }) => !ephemeral)
      .map(({ name, type, nullable, description, ...variable }) => {
        const told = description === undefined ? {} : { description };
        return [name, { type, nullable, required: variable.default === undefined, ...told }] as const;
      });
    return { inputs: new Map(inputs), outputs: await outputTypes(context, pool) };
  } finally {
    await pool.close();
  }
}

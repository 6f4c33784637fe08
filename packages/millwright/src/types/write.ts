import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProviderSchema } from "@millwright/provider/schema";
import { apiNames } from "../host/bundle.ts";
import { providerTypes } from "./provider-types.ts";
import { type TemplateShape, templateTypes } from "./template-types.ts";

/** What {@link writeTypes} wrote, as paths relative to the folder. */
export interface WrittenTypes {
  readonly files: readonly string[];
  /** Whether the folder has a tsconfig.json of its own, which was left as it is and does not take in the types. */
  readonly ownSettings: boolean;
}

/** Where the types of a folder are written. */
export const typesFolder = ".millwright/types";

/**
 * Writes what an editor needs to help with a folder's stacks, with nothing installed: the types of "millwright", those of
 * each provider (by its name), those of the templates that instances may be made of, and the settings that join them. A tsconfig.json of the folder's own is left as it is.
 */
export function writeTypes(
  folder: string,
  providers: ReadonlyMap<string, ProviderSchema>,
  templates: ReadonlyMap<string, TemplateShape> = new Map(),
): WrittenTypes {
  rmSync(join(folder, typesFolder), { recursive: true, force: true });
  mkdirSync(join(folder, typesFolder), { recursive: true });
  const texts = new Map([
    ["millwright.d.ts", apiTypes()],
    ["globals.d.ts", globals],
    ["tsconfig.json", `${JSON.stringify(settings, undefined, 2)}\n`],
  ]);
  if (templates.size > 0) texts.set("templates.d.ts", templateTypes(templates));
  for (const [name, schema] of providers) texts.set(`provider-${name}.d.ts`, providerTypes(schema));
  const files: string[] = [];
  for (const [name, text] of texts) {
    writeFileSync(join(folder, typesFolder, name), text);
    files.push(`${typesFolder}/${name}`);
  }
  const path = join(folder, "tsconfig.json");
  if (existsSync(path)) return { files, ownSettings: !readFileSync(path, "utf8").includes(typesFolder) };
  writeFileSync(path, `${JSON.stringify(folderSettings, undefined, 2)}\n`);
  return { files: [...files, "tsconfig.json"], ownSettings: false };
}

function apiTypes(): string {
  // Sources are TypeScript in a checkout, and declarations beside JavaScript in a packed package: both hold the types alone.
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "d.ts";
  const types = readFileSync(fileURLToPath(new URL(`../authoring/api.${ending}`, import.meta.url)), "utf8");
  return `${types}\n${apiNames.map((name) => `export declare const ${name}: Api["${name}"];\n`).join("")}`;
}

/** What a stack has beside the language; what belongs to one machine or moment is not there. */
const globals = `interface Console {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
}
declare const console: Console;
`;

const settings = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024"],
    module: "preserve",
    moduleResolution: "bundler",
    moduleDetection: "force",
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    paths: { millwright: ["./millwright.d.ts"] },
  },
};

const folderSettings = {
  extends: `./${typesFolder}/tsconfig.json`,
  include: ["**/*.ts", `${typesFolder}/*.d.ts`],
};

import { join } from "node:path";
import { type Node, SyntaxKind } from "typescript/unstable/ast";
import { isExportDeclaration, isImportDeclaration, isStringLiteral } from "typescript/unstable/ast/is";
import { API } from "typescript/unstable/sync";
import { root } from "./commands.ts";

export interface Import {
  readonly specifier: string;
  /** Where it stands, such as `packages/core/src/errors.ts:3`. */
  readonly place: string;
}

/** A TypeScript module of this repository, as the compiler reads it. */
export interface SourceModule {
  /** From the root. */
  readonly path: string;
  /** Every import: of types and values, static and dynamic. */
  readonly imports: readonly Import[];
  readonly exportsAll: boolean;
  readonly exportsDefault: boolean;
  /** Whether it holds nothing of its own, but passes on what other modules of its package export. */
  readonly onlyPassesOn: boolean;
}

/** All modules that tsconfig.json names. */
export function sourceModules(): readonly SourceModule[] {
  const config = join(root, "tsconfig.json");
  const compiler = new API({ cwd: root });
  try {
    const project = compiler.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (!project) throw new Error(`The compiler does not read ${config}.`);
    return project.rootFiles.map((file) => {
      const source = project.program.getSourceFile(file);
      if (!source) throw new Error(`The compiler does not read ${file}.`);
      const path = file.slice(root.length);
      const lineOf = (node: Node) => source.getLineAndCharacterOfPosition(node.end).line + 1;
      return {
        path,
        imports: source.imports
          .filter(isStringLiteral)
          .map((node) => ({ specifier: node.text, place: `${path}:${lineOf(node)}` })),
        exportsAll: source.statements.some((node) => isExportDeclaration(node) && !node.exportClause),
        exportsDefault: source.statements.some(isDefaultExport),
        onlyPassesOn:
          source.statements.some((node) => isExportDeclaration(node) && isOfThePackage(node.moduleSpecifier)) &&
          source.statements.every((node) => isExportDeclaration(node) || isImportDeclaration(node)),
      };
    });
  } finally {
    compiler.close();
  }
}

// A package may name what it passes on of others, as millwright does of provider; it has no barrels of its own modules.
function isOfThePackage(specifier: Node | undefined): boolean {
  const text = (specifier as (Node & { readonly text?: string }) | undefined)?.text;
  return text === undefined || text.startsWith(".");
}

function isDefaultExport(node: Node): boolean {
  if (node.kind === SyntaxKind.ExportAssignment) return true;
  const { modifiers } = node as Node & { readonly modifiers?: readonly Node[] };
  return modifiers?.some(({ kind }) => kind === SyntaxKind.DefaultKeyword) ?? false;
}

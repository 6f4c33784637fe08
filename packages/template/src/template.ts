import type { ListNode } from "./ast.ts";

/** The text a template was read from. */
export interface TemplateSource {
  /** The name that error messages show; the file's base name, where there is a file. */
  readonly name: string;
  /** The file that diagnostics point to. */
  readonly filename: string;
  readonly text: string;
}

/** One named tree: the text of a file, or a `define` or `block` in it. */
export interface TemplateTree {
  readonly name: string;
  readonly source: TemplateSource;
  readonly root: ListNode;
}

/** A parsed template and all that are defined with it. */
export interface Template {
  readonly name: string;
  readonly trees: ReadonlyMap<string, TemplateTree>;
}

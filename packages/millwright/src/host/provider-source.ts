import type { DefinedProvider } from "@millwright/provider/define";

/** The source that a provider is used by in a configuration. */
export function sourceOf({ name, source }: Pick<DefinedProvider, "name" | "source">): string {
  if (source === undefined) return `registry.terraform.io/hashicorp/${name}`;
  return source.split("/").length === 2 ? `registry.terraform.io/${source}` : source;
}

import type { Fields } from "@millwright/provider/fields";
import { optional, string } from "@millwright/provider/fields";

/** What every vault resource and data source can say of where its object is, and the ID it has. */
export const placeFields = {
  namespace: optional(string, { replaceOnChange: true, description: "Of Vault Enterprise; below the provider's own." }),
  id: optional(string, { computed: true, stable: true }),
} satisfies Fields;

/** A path or its part without slashes at its ends, as the server keeps it. */
export function trimmedPath(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}

/** What is wrong with a path that is to be looked up, in a sentence. */
export function pathFault(path: string): string | undefined {
  return trimmedPath(path) === "" ? "A path is expected: it is empty." : undefined;
}

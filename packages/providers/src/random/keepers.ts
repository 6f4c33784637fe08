import { map, nullable, optional, string } from "@millwright/provider/fields";

/** Values of the user's own that make a new random value whenever they change. */
export const keepers = optional(map(nullable(string)), {
  description: "Any values; a change of one of them makes a new random value.",
  replaceOnChange: ({ prior, planned }) => haveChanged(prior ?? {}, planned ?? {}),
});

type Keepers = Readonly<Record<string, string | null>>;

/** A key whose value is null is as good as none where it is new: states of older provider versions left them out. */
function haveChanged(prior: Keepers, planned: Keepers): boolean {
  const keys = new Set([...Object.keys(prior), ...Object.keys(planned)]);
  return [...keys].some((key) => (key in prior ? prior[key] !== planned[key] : planned[key] !== null));
}

import type { Fields } from "@millwright/provider/fields";
import { optional, string } from "@millwright/provider/fields";

/** What every consul resource and data source can say of where its keys are. */
export const whereFields = {
  datacenter: optional(string, {
    computed: true,
    stable: true,
    replaceOnChange: true,
    description: "The agent's own when left out.",
  }),
  namespace: optional(string, { replaceOnChange: true, description: "Of Consul Enterprise." }),
  partition: optional(string, { replaceOnChange: true, description: "Of Consul Enterprise." }),
  token: optional(string, { sensitive: true, deprecated: "Use the token argument in the provider configuration" }),
} satisfies Fields;

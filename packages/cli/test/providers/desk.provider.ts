// A provider whose every answer follows from the request alone, for who compares what engines ask.
import {
  blocks,
  computed,
  defineDataSource,
  defineProvider,
  defineResource,
  map,
  number,
  optional,
  required,
  set,
  string,
} from "millwright/provider";

const card = defineResource({
  schema: {
    name: required(string, { replaceOnChange: true }),
    size: optional(number, { default: 3 }),
    tags: optional(map(string)),
    members: optional(set(string)),
    zone: optional(string, { computed: true, stable: true }),
    id: computed(string, { stable: true }),
    revision: computed(number),
    line: blocks.list({ text: required(string), key: computed(string, { stable: true }) }),
    mark: blocks.set({ label: required(string) }),
  },
  create: ({ plan, private: kept }) => {
    kept.set("n", 1);
    return {
      ...plan,
      id: `card-${plan.name}`,
      zone: plan.zone ?? "here",
      revision: 1,
      line: plan.line.map((l) => ({ ...l, key: `k-${l.text}` })),
    };
  },
  read: ({ state }) => state,
  update: ({ plan, state, private: kept }) => {
    kept.set("n", 2);
    return {
      ...plan,
      id: state.id,
      zone: plan.zone ?? state.zone,
      revision: state.revision + 1,
      line: plan.line.map((l) => ({ ...l, key: `k-${l.text}` })),
    };
  },
  delete: () => undefined,
  import: ({ id }) => ({
    name: id.replace("card-", ""),
    size: 3,
    tags: null,
    members: null,
    zone: "here",
    id,
    revision: 1,
    line: [],
    mark: [],
  }),
});
const look = defineDataSource({
  schema: { id: required(string), upper: computed(string) },
  read: ({ config }) => ({ ...config, upper: config.id.toUpperCase() }),
});
export const desk = defineProvider({
  name: "desk",
  version: "0.1.0",
  source: "example.com/me/desk",
  schema: { owner: optional(string), prefs: blocks.single({ colour: optional(string) }) },
  configure: () => undefined,
  resources: { desk_card: card },
  dataSources: { desk_look: look },
});

import { uses } from "@millwright/provider/call";
import { defineProvider } from "@millwright/provider/define";
import { computed, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";

/** Whatever speaks to your service; here a map. */
export type Notebook = Map<string, { readonly title: string; readonly text: string }>;

const note = defineResource({
  client: uses<Notebook>(),
  schema: {
    title: required(string, {
      replaceOnChange: true,
      check: (title) => (title === "" ? "A note needs a title." : undefined),
    }),
    text: optional(string, { default: "", description: "What the note says." }),
    id: computed(string, { stable: true }),
    length: computed(number),
  },
  create: ({ client, plan }) => {
    const id = `note/${plan.title}`;
    if (client.has(id))
      throw failure("Note exists", `There is a note ${id} already. Import it, or choose another title.`, ["title"]);
    client.set(id, { title: plan.title, text: plan.text });
    return { ...plan, id, length: plan.text.length };
  },
  read: ({ client, state }) => {
    const found = client.get(state.id);
    return found ? { ...state, ...found, length: found.text.length } : null;
  },
  update: ({ client, plan, state }) => {
    client.set(state.id, { title: plan.title, text: plan.text });
    return { ...plan, id: state.id, length: plan.text.length };
  },
  delete: ({ client, state }) => void client.delete(state.id),
  interrupted: ({ client, sent }) => {
    const id = `note/${sent.title}`;
    const found = client.get(id);
    return found ? { ...found, id, length: found.text.length } : null;
  },
});

export const notes = (notebook: Notebook) =>
  defineProvider({ name: "notes", version: "1.0.0", configure: () => notebook, resources: { notes_note: note } });

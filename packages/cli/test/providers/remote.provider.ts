import { setTimeout as sleep } from "node:timers/promises";
import {
  computed,
  defineProvider,
  defineResource,
  failure,
  number,
  optional,
  required,
  string,
  uses,
} from "millwright/provider";

// A provider of things that are elsewhere, behind a slow network: what it asks takes its time on the way there, and its
// answers on the way back.

interface Thing {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly made: number;
}

class Remote {
  readonly #address: string;
  readonly #delay: number;

  constructor(address: string, delay: number) {
    this.#address = address;
    this.#delay = delay;
  }

  async change(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<Thing | undefined> {
    await sleep(Math.random() * this.#delay);
    const answer = await this.#ask(method, path, body);
    await sleep(Math.random() * this.#delay);
    return answer;
  }

  read(id: string): Promise<Thing | undefined> {
    return this.#ask("GET", `/things/${id}`);
  }

  async #ask(method: string, path: string, body?: object): Promise<Thing | undefined> {
    const answer = await fetch(new URL(path, this.#address), {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw failure("The remote refuses", `${method} ${path}: ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as Thing);
  }
}

const fields = {
  label: required(string, { replaceOnChange: true }),
  text: optional(string, { default: "" }),
  id: computed(string, { stable: true }),
  made: computed(number, { stable: true }),
};

const life = {
  client: uses<Remote>(),
  schema: fields,
  read: async ({ client, state }: { client: Remote; state: Thing }) => (await client.read(state.id)) ?? null,
  update: async ({ client, state, plan }: { client: Remote; state: Thing; plan: { text: string } }) =>
    there(await client.change("PUT", `/things/${state.id}`, { text: plan.text }), state.id),
  delete: async ({ client, state }: { client: Remote; state: Thing }) =>
    void (await client.change("DELETE", `/things/${state.id}`)),
  import: async ({ client, id }: { client: Remote; id: string }) => there(await client.read(id), id),
};

function there(thing: Thing | undefined, id: string): Thing {
  if (!thing) throw failure("Nothing there", `The remote has no ${id}.`);
  return thing;
}

/** Its id is its label, which the configuration gives. */
const named = defineResource({
  ...life,
  plan: ({ plan }) => ({ plan: { id: plan.label } }),
  create: async ({ client, plan }) =>
    there(await client.change("POST", "/named", { label: plan.label, text: plan.text }), plan.label),
});

/** Its id is the remote's to give. */
const assigned = defineResource({
  ...life,
  create: async ({ client, plan }) =>
    there(await client.change("POST", "/assigned", { label: plan.label, text: plan.text }), plan.label),
});

export const remote = defineProvider({
  name: "remote",
  version: "1.0.0",
  source: "example.com/test/remote",
  schema: { address: required(string), delay: optional(number, { default: 0 }) },
  configure: ({ config }) => new Remote(config.address, config.delay ?? 0),
  resources: { remote_named: named, remote_assigned: assigned },
});

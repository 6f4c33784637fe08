/** What there is to say of an error that a stack threw. */
export function whyThrown({ name, message }: { readonly name: string; readonly message: string }): {
  readonly summary: string;
  readonly detail: string;
} {
  const missing = /^(\w+) is not defined$/.exec(message)?.[1];
  const what = missing === undefined ? undefined : ofThisMachine[missing];
  if (what !== undefined) {
    return {
      summary: "Not the same twice",
      detail: `A stack cannot read ${what} (${missing}): the plan would not be the same twice. Pass it in as a variable, for example by TF_VAR_name or -var.`,
    };
  }
  return { summary: "Stack failed", detail: `${name}: ${message.replace(/\.$/, "")}. Nothing was planned.` };
}

/** What a program elsewhere has, and a stack has not, as it belongs to one machine or moment. */
const ofThisMachine: Readonly<Record<string, string>> = {
  process: "the environment",
  Bun: "the environment",
  Deno: "the environment",
  navigator: "the environment",
  window: "the environment",
  document: "the environment",
  Intl: "this machine's language",
  fetch: "the network",
  XMLHttpRequest: "the network",
  WebSocket: "the network",
  performance: "the clock",
  Temporal: "the clock",
  setTimeout: "the clock",
  setInterval: "the clock",
  setImmediate: "the clock",
  crypto: "chance",
  require: "modules of Node",
  __dirname: "the place of its folder",
  __filename: "the place of its folder",
  WeakRef: "when memory is freed",
  FinalizationRegistry: "when memory is freed",
};

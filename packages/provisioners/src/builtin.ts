import type { Provisioner, Provisioners } from "./provisioner.ts";

const loaders: Readonly<Record<string, () => Promise<Provisioner>>> = {
  file: async () => (await import("./file.ts")).file,
  "local-exec": async () => (await import("./local-exec.ts")).localExec,
  "remote-exec": async () => (await import("./remote-exec.ts")).remoteExec,
};

/** The provisioners that Terraform has, each loaded when it is asked for. */
export const builtinProvisioners: Provisioners = {
  names: Object.keys(loaders),
  find: async (name) => (Object.hasOwn(loaders, name) ? loaders[name]?.() : undefined),
};

import type { Provider } from "@millwright/provider/protocol";
import type { ProviderSchema } from "@millwright/provider/schema";
import type { PluginPorts, PluginProgram } from "./plugin-process.ts";
import { PluginProcess } from "./plugin-process.ts";
import type { PluginKind } from "./plugin-provider.ts";
import { PluginProvider } from "./plugin-provider.ts";
import { readSchema } from "./plugin-schema.ts";
import type { ReattachTarget } from "./reattach.ts";
import type { PluginSession } from "./session.ts";

/** A provider as a program on disk. Each {@link Plugin.start} is a process of its own; the schemas are read once for all. */
export class Plugin {
  readonly #program: PluginProgram;
  readonly #schemas = new SharedSchema();

  constructor(program: PluginProgram) {
    this.#program = program;
  }

  /** Rejects with an operational error of `pluginErrors`. */
  start(ports: PluginPorts): Promise<Provider> {
    const kind: PluginKind = {
      open: () => PluginProcess.start(this.#program, ports),
      schema: (session) => this.#schemas.of(session),
    };
    return PluginProvider.start(kind);
  }
}

/** A provider that somebody else has started, for a debugger say. It is neither started nor ended from here. */
export function attachedProvider(target: ReattachTarget): Promise<Provider> {
  const schemas = new SharedSchema();
  return PluginProvider.start({ open: () => attach(target), schema: (session) => schemas.of(session) });
}

async function attach({ version, address }: ReattachTarget): Promise<PluginSession> {
  const { PluginConnection } = await import("./connection.ts");
  const connection = new PluginConnection({ version, address, tls: undefined });
  return { connection, isRunning: true, end: async () => connection.close() };
}

class SharedSchema {
  #schema: Promise<ProviderSchema> | undefined;

  async of(session: PluginSession): Promise<ProviderSchema> {
    const known = this.#schema;
    if (!known) {
      const asked = readSchema(session.connection);
      this.#schema = asked;
      asked.catch(() => {
        this.#schema = undefined;
      });
      return asked;
    }
    const schema = await known;
    // Some programs answer nothing else before they were asked for their schemas.
    if (!schema.capabilities.schemaOptional) await session.connection.call("getProviderSchema", {});
    return schema;
  }
}

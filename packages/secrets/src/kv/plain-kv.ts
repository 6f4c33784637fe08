import { formatJson, parseJson } from "@millwright/clients/json";
import type { Engine, EngineContext, EngineReply, EngineRequest } from "../engine.ts";
import { isObject } from "../objects.ts";
import { refusal, unsupported } from "../replies.ts";
import { secondsOf } from "../request-fields.ts";
import { folderOf, pathFault } from "./secret-path.ts";
import { largestSecret, tooLarge } from "./secret-size.ts";

/** Kv version 1: a path holds what was written there last. A field `ttl` (or `lease`) is told as the lease duration. */
export function openPlainKv({ storage, mount }: EngineContext): Engine {
  const read = async (path: string): Promise<EngineReply> => {
    const stored = await storage.get(path);
    if (!stored) return { kind: "missing" };
    const data = parseJson(Buffer.from(stored.value).toString());
    if (!isObject(data)) return { kind: "missing" };
    return { kind: "data", data, leaseDuration: durationOf(data) ?? mount.defaultLeaseTtl };
  };

  const write = async (path: string, data: EngineRequest["data"]): Promise<EngineReply> => {
    if (Object.keys(data).length === 0) return refusal(400, "missing data fields");
    const value = Buffer.from(formatJson(data));
    if (value.length > largestSecret) return tooLarge(value.length);
    await storage.commit([{ op: "put", path, value }]);
    return { kind: "done" };
  };

  return {
    exists: async ({ path }) => pathFault(path) === undefined && (await storage.get(path)) !== undefined,
    handle: async ({ operation, path, data }) => {
      if (operation === "list") {
        const keys = await storage.list(folderOf(path));
        return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
      }
      const fault = pathFault(path);
      if (fault !== undefined) return operation === "read" ? { kind: "missing" } : refusal(400, fault);
      switch (operation) {
        case "read":
          return read(path);
        case "create":
        case "update":
          return write(path, data);
        case "delete":
          await storage.commit([{ op: "delete", path }]);
          return { kind: "done" };
        case "patch":
          return unsupported;
      }
    },
  };
}

function durationOf(data: Readonly<Record<string, unknown>>): number | undefined {
  const given = data["ttl"] ?? data["lease"];
  const seconds = given === undefined ? undefined : secondsOf(given);
  return seconds !== undefined && seconds > 0 ? seconds : undefined;
}

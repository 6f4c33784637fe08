import { formatJson, parseJson } from "@millwright/clients/json";
import type { Engine, EngineReply, EngineRequest, EngineType, TokenId } from "../engine.ts";
import { isObject } from "../objects.ts";
import { refusal, unsupported } from "../replies.ts";
import { allPaths, type SecretStorage, storageUnder } from "../storage.ts";

/** Whether there is still such a token. */
export type TokenIsAlive = (id: TokenId) => Promise<boolean>;

const sweepMilliseconds = 60 * 60 * 1000;

/** A place for each token's own, which nobody else sees and which ends with the token. Always mounted at `cubbyhole/`. */
export function cubbyholeEngine(isAlive: TokenIsAlive): EngineType {
  return {
    name: "cubbyhole",
    class: "secret",
    open: async ({ storage, clock }) => {
      const closing = new AbortController();
      const sweeping = (async () => {
        while (!closing.signal.aborted) {
          await removeDead(storage, isAlive, closing.signal);
          await clock.sleep(sweepMilliseconds, closing.signal).catch(() => undefined);
        }
      })().catch(() => undefined);
      const close = async () => {
        closing.abort();
        await sweeping;
      };
      return { ...cubbyhole(storage), close };
    },
  };
}

function cubbyhole(storage: SecretStorage): Engine {
  return {
    exists: async (request) => (await ownOf(storage, request)?.get(request.path)) !== undefined,
    handle: async (request) => {
      const own = ownOf(storage, request);
      if (!own) return refusal(403, "permission denied");
      return answer(own, request);
    },
  };
}

async function answer(own: SecretStorage, request: EngineRequest): Promise<EngineReply> {
  const { operation, data } = request;
  const path = request.path.replace(/\/$/, "");
  switch (operation) {
    case "list": {
      const keys = await own.list(path === "" ? "" : `${path}/`);
      return keys.length === 0 ? { kind: "missing" } : { kind: "data", data: { keys } };
    }
    case "read": {
      const held = path === "" ? undefined : await own.get(path);
      if (!held) return { kind: "missing" };
      const data = parseJson(Buffer.from(held.value).toString());
      return isObject(data) ? { kind: "data", data } : { kind: "missing" };
    }
    case "create":
    case "update":
      if (path === "") return refusal(400, "a path is missing: cubbyhole/NAME");
      if (Object.keys(data).length === 0) return refusal(400, "missing data fields");
      await own.commit([{ op: "put", path, value: Buffer.from(formatJson(data)) }]);
      return { kind: "done" };
    case "delete":
      if (path !== "") await own.commit([{ op: "delete", path }]);
      return { kind: "done" };
    case "patch":
      return unsupported;
  }
}

function ownOf(storage: SecretStorage, { caller }: EngineRequest): SecretStorage | undefined {
  return caller && storageUnder(storage, `${caller.token}/`);
}

async function removeDead(storage: SecretStorage, isAlive: TokenIsAlive, signal: AbortSignal): Promise<void> {
  for (const folder of await storage.list("")) {
    if (signal.aborted) return;
    if (await isAlive(folder.slice(0, -1) as TokenId)) continue;
    for (const path of await allPaths(storage, folder)) await storage.commit([{ op: "delete", path }]);
  }
}

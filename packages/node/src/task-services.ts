import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { WireMistake } from "@millwright/text/wire-fields";
import type { CheckStatus } from "./check-definition.ts";
import { nodeErrors } from "./errors.ts";
import type { Keeper } from "./keeper.ts";
import type { Member } from "./member.ts";
import type { NodeState } from "./node-state.ts";
import { published } from "./published.ts";
import type { Registry } from "./registry.ts";
import { parseService } from "./service-definition.ts";

/**
 * Services of tasks that run on this node, registered by a part of the same process. They are kept and run as those that come over
 * the API; whoever registers them finds after a crash by {@link ids} which are left, and removes those that are no more.
 */
export interface TaskServices {
  /**
   * Registers a service with its checks, in the JSON of `PUT /v1/agent/service/register`; checks that it had before and has no more
   * go. Scripts may be among them. Resolves when it is on disk; rejects with `badDefinition`.
   */
  register(definition: unknown): Promise<void>;
  /** Of one that is not there: nothing. Resolves when the servers know, or after a second where they do not answer. */
  deregister(id: string): Promise<void>;
  /** Of all services that were registered here. */
  ids(): readonly string[];
  /** Tells how the checks of these services are: at once, and whenever a status or an output has changed. Returns what ends it. */
  follow(ids: readonly string[], heard: (checks: readonly TaskCheck[]) => void): () => void;
}

export interface TaskCheck {
  readonly serviceId: string;
  readonly checkId: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly output: string;
}

/** The services of tasks over a node's parts; `signal` ends waiting. */
export function taskServices(parts: {
  readonly registry: Registry;
  readonly keeper: Keeper;
  readonly member: Member;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): TaskServices {
  const { registry, keeper, signal } = parts;
  return {
    register: async (definition) => {
      const { service, checks, token } = parsed(definition);
      const origin = { from: "task", token } as const;
      registry.dispatch({ kind: "service-registered", service, checks, origin, replaceChecks: true });
      await keeper.flush();
    },
    deregister: async (id) => {
      if (!registry.state.services.has(id)) return;
      registry.dispatch({ kind: "service-deregistered", id });
      await keeper.flush();
      await published(parts, { service: id }, signal);
    },
    ids: () => {
      const services = [...registry.state.services.values()];
      return services.filter(({ origin }) => origin.from === "task").map(({ definition }) => definition.id);
    },
    follow: (ids, heard) => {
      const wanted = new Set(ids);
      const tell = (state: NodeState) => heard(checksOf(state, wanted));
      tell(registry.state);
      return registry.listen((state, before) => {
        if (state.checks !== before.checks && differ(state, before, wanted)) tell(state);
      });
    },
  };
}

function parsed(definition: unknown) {
  try {
    return parseService(definition);
  } catch (error) {
    if (!(error instanceof WireMistake)) throw error;
    throw new OperationalError(nodeErrors.badDefinition, error.message, { cause: error });
  }
}

function checksOf(state: NodeState, services: ReadonlySet<string>): readonly TaskCheck[] {
  const checks: TaskCheck[] = [];
  for (const { definition, status, output } of state.checks.values()) {
    const { serviceId, id, name } = definition;
    if (services.has(serviceId)) checks.push({ serviceId, checkId: id, name, status, output });
  }
  return checks;
}

function differ(state: NodeState, before: NodeState, services: ReadonlySet<string>): boolean {
  for (const [id, check] of state.checks) {
    if (!services.has(check.definition.serviceId)) continue;
    const old = before.checks.get(id);
    if (old?.status !== check.status || old.output !== check.output) return true;
  }
  for (const [id, { definition }] of before.checks)
    if (services.has(definition.serviceId) && !state.checks.has(id)) return true;
  return false;
}

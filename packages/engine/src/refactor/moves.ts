import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { InstanceAddress, InstanceKey, ModuleInstance } from "../addresses.ts";
import { absoluteResourceText, childModule, instanceAddress, rootModule } from "../addresses.ts";
import type { Configuration } from "../configuration.ts";
import type { InstanceState, ResourceState, State } from "../state.ts";
import { StateBuilder } from "../state.ts";
import { type Endpoint, lastKey } from "./endpoint.ts";
import { checkStatements, inOrder } from "./move-order.ts";
import { type MoveStatement, moveStatements } from "./move-statements.ts";

/** What moves have made of a state. */
export interface MovedState {
  readonly state: State;
  readonly statements: readonly MoveStatement[];
  /** New addresses of instances with the ones they had when the state was written. */
  readonly movedFrom: ReadonlyMap<string, InstanceAddress>;
  /** Instances that could not move, as there is an object at their new address already. */
  readonly blocked: readonly { readonly from: string; readonly to: string }[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Gives the instances of a state the addresses that the configuration's `moved` blocks say, one after another along chains;
 * and to the one object of a resource that has got a `count`, or lost it, the address that it has by that.
 */
export function moveState(configuration: Configuration, state: State): MovedState {
  const statements = moveStatements(configuration, state);
  const diagnostics = checkStatements(statements);
  const nothing = { state, statements, movedFrom: new Map<string, InstanceAddress>(), blocked: [], diagnostics };
  if (statements.length === 0 || hasErrors(diagnostics)) return nothing;
  const mover = new Mover(state);
  for (const statement of inOrder(statements)) mover.carryOut(statement);
  return { ...nothing, ...mover.result() };
}

class Mover {
  readonly #builder: StateBuilder;
  readonly #resources: Map<string, ResourceState>;
  readonly #movedFrom = new Map<string, InstanceAddress>();
  readonly #blocked: { readonly from: string; readonly to: string }[] = [];

  constructor(state: State) {
    this.#builder = new StateBuilder(state);
    this.#resources = new Map(state.resources);
  }

  result(): Pick<MovedState, "state" | "movedFrom" | "blocked"> {
    return { state: this.#builder.snapshot(), movedFrom: this.#movedFrom, blocked: this.#blocked };
  }

  carryOut(statement: MoveStatement): void {
    for (const [text, resource] of [...this.#resources]) {
      if (resource.address.mode !== "managed") continue;
      const place = placeOf(statement, resource);
      if (!place) continue;
      for (const instance of [...resource.instances.values()]) {
        const to = place(instance.key);
        if (to) this.#move(instanceAddress(resource.module, resource.address, instance.key), to, resource, instance);
      }
      this.#look(text, resource.module, resource.address);
    }
  }

  #move(from: InstanceAddress, to: InstanceAddress, resource: ResourceState, instance: InstanceState): void {
    if (this.#builder.instance(to)) {
      this.#blocked.push({ from: from.text, to: to.text });
      return;
    }
    this.#builder.move(from, to, resource.provider);
    if (from.resource.type !== to.resource.type && instance.current) {
      const origin = instance.current.movedFrom ?? { type: from.resource.type, provider: resource.provider };
      this.#builder.setCurrent(to, resource.provider, { ...instance.current, movedFrom: origin });
    }
    this.#movedFrom.set(to.text, this.#movedFrom.get(from.text) ?? from);
    this.#movedFrom.delete(from.text);
    this.#look(absoluteResourceText(to.module, to.resource), to.module, to.resource);
  }

  #look(text: string, module: ModuleInstance, address: ResourceState["address"]): void {
    const now = this.#builder.resource(module, address);
    if (now) this.#resources.set(text, now);
    else this.#resources.delete(text);
  }
}

type Place = (key: InstanceKey) => InstanceAddress | undefined;

/** Where a statement puts the instances of a resource of the state; undefined where it does not speak of that resource. */
function placeOf({ path, from, to }: MoveStatement, { module, address }: ResourceState): Place | undefined {
  const { steps } = module;
  const depth = path.length;
  if (steps.length < depth || path.some((name, i) => steps[i]!.name !== name)) return undefined;
  const whole = lastKey(from) === undefined && lastKey(to) === undefined;
  const base = steps.slice(0, depth);
  const inside = steps.slice(depth);
  if (from.resource && to.resource) {
    if (from.resource.type !== address.type || from.resource.name !== address.name) return undefined;
    if (!isWithin(inside, from, false) || inside.length !== from.module.steps.length) return undefined;
    const { resource } = to;
    const target = moduleOf([...base, ...to.module.steps]);
    if (whole) return (key) => instanceAddress(target, resource, key);
    return (key) => (key === from.key ? instanceAddress(target, resource, to.key) : undefined);
  }
  if (!isWithin(inside, from, whole)) return undefined;
  const length = from.module.steps.length;
  const last = to.module.steps.at(-1)!;
  const renamed = { name: last.name, key: whole ? inside[length - 1]!.key : last.key };
  const target = moduleOf([...base, ...to.module.steps.slice(0, -1), renamed, ...inside.slice(length)]);
  return (key) => instanceAddress(target, address, key);
}

// Keys on the way have to be those that are written; where a whole module moves, its own may be any.
function isWithin(inside: ModuleInstance["steps"], { module }: Endpoint, anyLastKey: boolean): boolean {
  return module.steps.every(({ name, key }, i) => {
    const step = inside[i];
    if (step?.name !== name) return false;
    return step.key === key || (anyLastKey && i === module.steps.length - 1);
  });
}

function moduleOf(steps: ModuleInstance["steps"]): ModuleInstance {
  return steps.reduce((parent, { name, key }) => childModule(parent, name, key), rootModule);
}

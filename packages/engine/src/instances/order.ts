import type { Graph } from "../graph.ts";
import { GraphBuilder } from "../graph.ts";

/** An instance as far as its order among others goes. */
export interface Ordered {
  readonly name: string;
  /** Whether a run makes it as it should be, or removes all it has. */
  readonly task: "make" | "remove";
  /** Instances that its inputs come from, now or (for one that is removed) when it was made. */
  readonly dependencies: ReadonlySet<string>;
  /** The same as of its last apply: what it still uses until it is made anew. */
  readonly used: ReadonlySet<string>;
}

/**
 * The order in which instances are worked on: made after those they depend on, removed before those they depend on are
 * removed, and after those that still used them have been made without.
 */
export function instanceOrder<T extends Ordered>(all: readonly T[]): Graph<T> {
  const builder = new GraphBuilder<T>();
  const byName = new Map(all.map((each) => [each.name, each]));
  for (const each of all) builder.add(each.name, each);
  for (const each of all) {
    for (const name of each.dependencies) {
      const other = byName.get(name);
      if (each.task === "make" && other?.task === "make") builder.depend(each.name, name);
      else if (each.task === "remove" && other?.task === "remove") depend(builder, name, each.name);
    }
    if (each.task === "make")
      for (const name of each.used) if (byName.get(name)?.task === "remove") builder.depend(name, each.name);
  }
  return builder.build();
}

// What was remembered at different times may go round in a circle; one way of it then gives way.
function depend<T>(builder: GraphBuilder<T>, from: string, to: string): void {
  if (!builder.reaches(to, from)) builder.depend(from, to);
}

export interface FairQueueOptions<R> {
  /** How many are worked on at a time, of one group and in all. */
  readonly perGroup: number;
  readonly total: number;
  /** Does not reject. */
  work(item: string): Promise<R>;
}

/**
 * Items that wait to be worked on, by group: groups take turns, and one whose work hangs holds up no other. An item is in it
 * once, however often it is added.
 */
export class FairQueue<R> {
  readonly #options: FairQueueOptions<R>;
  readonly #groups = new Map<string, Group>();
  /** Those with items waiting and room to work, in the order of their turns. */
  readonly #ready = new Set<Group>();
  readonly #known = new Map<string, Turn<R>>();
  #running = 0;

  constructor(options: FairQueueOptions<R>) {
    this.#options = options;
  }

  /** How many wait or are worked on. */
  get size(): number {
    return this.#known.size;
  }

  /** Resolves once nothing waits and nothing is worked on. */
  async idle(): Promise<void> {
    while (this.#known.size > 0) await Promise.all([...this.#known.values()].map(({ done }) => done.promise));
  }

  /** Resolves to what its work gave. `urgent` goes before the others of its group. */
  add(name: string, item: string, place: "urgent" | "last"): Promise<R> {
    const known = this.#known.get(item);
    if (known?.isRunning || (known && place === "last")) return known.done.promise;
    const group = this.#group(name);
    const turn = known ?? { isRunning: false, done: Promise.withResolvers<R>() };
    // One that waits already stays where it is too, and is passed over when that turn comes.
    this.#known.set(item, turn);
    (place === "urgent" ? group.urgent : group.waiting).push(item);
    this.#offer(group);
    this.#start();
    return turn.done.promise;
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (!group) {
      group = { name, urgent: new Line(), waiting: new Line(), running: 0 };
      this.#groups.set(name, group);
    }
    return group;
  }

  #offer(group: Group): void {
    const hasRoom = group.running < this.#options.perGroup;
    if (hasRoom && group.urgent.length + group.waiting.length > 0) this.#ready.add(group);
  }

  #start(): void {
    while (this.#running < this.#options.total) {
      const [group] = this.#ready;
      if (!group) return;
      this.#ready.delete(group);
      const item = group.urgent.shift() ?? group.waiting.shift();
      const turn = item === undefined ? undefined : this.#known.get(item);
      if (item !== undefined && turn && !turn.isRunning) void this.#run(group, item, turn);
      this.#offer(group);
      this.#forget(group);
    }
  }

  async #run(group: Group, item: string, turn: Turn<R>): Promise<void> {
    turn.isRunning = true;
    group.running++;
    this.#running++;
    const result = await this.#options.work(item);
    this.#known.delete(item);
    group.running--;
    this.#running--;
    this.#offer(group);
    this.#forget(group);
    turn.done.resolve(result);
    this.#start();
  }

  #forget(group: Group): void {
    if (group.running + group.urgent.length + group.waiting.length === 0) this.#groups.delete(group.name);
  }
}

interface Turn<R> {
  isRunning: boolean;
  readonly done: PromiseWithResolvers<R>;
}

interface Group {
  readonly name: string;
  readonly urgent: Line;
  readonly waiting: Line;
  running: number;
}

/** First in, first out, without moving the rest at each step. */
class Line {
  #items: string[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: string): void {
    this.#items.push(item);
  }

  shift(): string | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head++;
    if (this.#head > 1000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

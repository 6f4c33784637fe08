/**
 * The world that the test provider manages: objects by type and name, outliving every instance of the provider, as a real
 * one does. A test looks at it, and changes it behind the provider's back.
 */
export class TestWorld {
  readonly #objects = new Map<string, TestObject>();
  #next = 1;

  create(type: string, name: string): TestObject {
    const object = { type, name, id: `${type}-${this.#next++}`, revision: 1, attributes: {} };
    this.#objects.set(object.id, object);
    return object;
  }

  get(id: string): TestObject | undefined {
    return this.#objects.get(id);
  }

  find(type: string, name: string): TestObject | undefined {
    return this.all().find((object) => object.type === type && object.name === name);
  }

  /** A new revision of the object, its attributes as they were; undefined when there is none. */
  revise(id: string): TestObject | undefined {
    const old = this.#objects.get(id);
    if (!old) return undefined;
    const object = { ...old, revision: old.revision + 1 };
    this.#objects.set(id, object);
    return object;
  }

  /** Records what the object looks like now; attributes that are not given stay as they are. */
  store(id: string, attributes: object): void {
    const old = this.#objects.get(id);
    if (old) this.#objects.set(id, { ...old, attributes: { ...old.attributes, ...attributes } });
  }

  delete(id: string): void {
    this.#objects.delete(id);
  }

  /** All objects in the order they were created. */
  all(): readonly TestObject[] {
    return [...this.#objects.values()];
  }

  /** The names of all objects, in order, for short assertions. */
  names(): readonly string[] {
    return this.all()
      .map((object) => object.name)
      .sort();
  }
}

/** An object of the test world; `attributes` as the resource's author sees them. */
export interface TestObject {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  readonly revision: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

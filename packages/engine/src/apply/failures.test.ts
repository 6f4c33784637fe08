import { describe, expect, test } from "vitest";
import { actionsOf, messages, summaries, TestEngine } from "../testing/test-engine.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;

describe("a change that fails halfway leaves a true state", () => {
  test("a create that fails with partial state is kept tainted, and replaced next", async () => {
    const engine = new TestEngine(small("a"));
    engine.provider.faults.add({ on: "create", name: "a", how: "failHalfway", times: 1 });
    const result = await engine.apply();
    expect(summaries(result.diagnostics)).toEqual(["error: Failed to create a"]);
    expect(result.complete).toBe(false);
    expect(result.counts).toEqual({ imported: 0, added: 0, changed: 0, destroyed: 0 });
    expect(engine.objects()).toEqual(["test_small.a (tainted)"]);
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual(["delete-create test_small.a because tainted"]);
    engine.provider.log.clear();
    await engine.apply(plan);
    expect(engine.changes()).toEqual(["delete a", "create a"]);
    expect(engine.objects()).toEqual(["test_small.a"]);
  });

  test("a create that fails without state leaves nothing behind", async () => {
    const engine = new TestEngine(small("a"));
    engine.provider.faults.add({ on: "create", name: "a", how: "fail", times: 1 });
    const result = await engine.apply();
    expect(summaries(result.diagnostics)).toEqual(["error: Failed to create a"]);
    expect(engine.objects()).toEqual([]);
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual(["create test_small.a"]);
  });

  test("an update that fails before anything keeps the object as it was", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"'));
    engine.configure(small("a", 'value = "two"'));
    engine.provider.faults.add({ on: "update", how: "fail", times: 1 });
    const result = await engine.apply();
    expect(result.complete).toBe(false);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.attributes("test_small.a").value).toBe("one");
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual(["update test_small.a"]);
  });

  test("an update that fails halfway keeps what it did, not tainted", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"'));
    engine.configure(small("a", 'value = "two"'));
    engine.provider.faults.add({ on: "update", how: "failHalfway", times: 1 });
    await engine.apply();
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.attributes("test_small.a").value).toBe("two");
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual([]);
  });

  test("a delete that fails keeps the object, untainted", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a"));
    engine.configure("");
    engine.provider.faults.add({ on: "delete", how: "fail", times: 1 });
    const result = await engine.apply();
    expect(summaries(result.diagnostics)).toEqual(["error: Failed to delete a"]);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(actionsOf((await engine.plan()).plan.changes)).toEqual(["delete test_small.a because no_resource_config"]);
  });

  test("a replacement whose delete fails does not create", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'force = "one"'));
    engine.configure(small("a", 'force = "two"'));
    engine.provider.faults.add({ on: "delete", how: "fail", times: 1 });
    await engine.apply();
    expect(engine.changes()).toEqual(["delete a"]);
    expect(engine.attributes("test_small.a").force).toBe("one");
  });

  test("a replacement whose create fails has destroyed the old object", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'force = "one"'));
    engine.configure(small("a", 'force = "two"'));
    engine.provider.faults.add({ on: "create", how: "fail", times: 1 });
    const result = await engine.apply();
    expect(result.counts).toEqual({ imported: 0, added: 0, changed: 0, destroyed: 1 });
    expect(engine.objects()).toEqual([]);
  });

  test("a provider that dies in a create leaves nothing known, in an update the object as it was", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"'));
    engine.configure(small("a", 'value = "two"') + small("b"));
    engine.provider.faults.add({ on: "update", how: "crash", times: 1 });
    engine.provider.faults.add({ on: "create", how: "crash", times: 1 });
    const result = await engine.apply();
    expect(summaries(result.diagnostics)).toEqual(["error: Provider did not answer", "error: Provider did not answer"]);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.attributes("test_small.a").value).toBe("one");
    expect(result.unanswered.map(({ address, sent }) => [address, JSON.parse(sent).name])).toEqual([
      ["test_small.b", "b"],
    ]);
  });

  test("a create that got no answer stops the next plan, and is not made twice", async () => {
    const engine = new TestEngine(small("a"));
    engine.provider.faults.add({ on: "create", how: "crash", times: 1 });
    const { unanswered } = await engine.apply();
    const { plan, diagnostics } = await engine.plan({ interrupted: unanswered });
    expect(summaries(diagnostics)).toEqual(["error: A create may have happened"]);
    expect(plan.changes).toEqual([]);
  });

  test("a provider that dies in a delete leaves the object", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a"));
    engine.configure("");
    engine.provider.faults.add({ on: "delete", how: "crash", times: 1 });
    const result = await engine.apply();
    expect(messages(result.diagnostics)).toEqual([
      "error: Provider did not answer: The provider of test_small.a failed while destroying the object: the provider's process ended unexpectedly. What is stored was left as it was; a plan shows what is there now.",
    ]);
    expect(engine.objects()).toEqual(["test_small.a"]);
  });

  test("an error in one branch lets independent branches finish, and skips what depends on it", async () => {
    const engine = new TestEngine(
      small("a") + small("b", "value = test_small.a.id") + small("c") + small("d", "value = test_small.c.id"),
    );
    engine.provider.faults.add({ on: "create", name: "a", how: "fail", times: 1 });
    const result = await engine.apply();
    expect(engine.objects()).toEqual(["test_small.c", "test_small.d"]);
    expect(result.diagnostics).toHaveLength(1);
    expect(result.complete).toBe(false);
  });
});

describe("create before destroy", () => {
  const first = 'force = "one"\nlifecycle {\n create_before_destroy = true\n}';
  const second = first.replace("one", "two");

  test("the new object is made before the old one goes", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", first));
    engine.configure(small("a", second));
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual(["create-delete test_small.a because cannot_update"]);
    await engine.apply(plan);
    expect(engine.changes()).toEqual(["create a", "delete a"]);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.provider.world.names()).toEqual(["a"]);
  });

  test("a delete that fails leaves a deposed object, which the next plan shows and removes", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", first));
    engine.configure(small("a", second));
    engine.provider.faults.add({ on: "delete", how: "fail", times: 1 });
    const result = await engine.apply();
    expect(result.counts).toEqual({ imported: 0, added: 1, changed: 0, destroyed: 0 });
    expect(engine.objects()).toEqual(["test_small.a", "test_small.a (deposed)"]);
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual(["delete test_small.a (deposed)"]);
    await engine.apply(plan);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.provider.world.all().map((object) => object.id)).toEqual(["test_small-2"]);
  });

  test("a create that fails without state takes the old object back", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", first));
    engine.configure(small("a", second));
    engine.provider.faults.add({ on: "create", how: "fail", times: 1 });
    await engine.apply();
    expect(engine.changes()).toEqual(["create a"]);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.attributes("test_small.a").force).toBe("one");
  });

  test("a create that fails with partial state keeps both, the new one tainted", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", first));
    engine.configure(small("a", second));
    engine.provider.faults.add({ on: "create", how: "failHalfway", times: 1 });
    await engine.apply();
    expect(engine.objects()).toEqual(["test_small.a (tainted)", "test_small.a (deposed)"]);
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([
      "create-delete test_small.a because tainted",
      "delete test_small.a (deposed)",
    ]);
    await engine.apply(plan);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.provider.world.all()).toHaveLength(1);
  });

  test("what such a resource depends on is made first too, and the old ones go in reverse", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'force = "one"') + small("b", `value = test_small.a.id\n${first}`));
    engine.configure(small("a", 'force = "two"') + small("b", `value = test_small.a.id\n${second}`));
    const { plan } = await engine.plan();
    expect(actionsOf(plan.changes)).toEqual([
      "create-delete test_small.a because cannot_update",
      "create-delete test_small.b because cannot_update",
    ]);
    await engine.apply(plan);
    expect(engine.changes()).toEqual(["create a", "create b", "delete b", "delete a"]);
  });

  test("an old object stays until what depends on it has moved to the new one", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", first) + small("b", "value = test_small.a.id"));
    engine.configure(small("a", second) + small("b", "value = test_small.a.id"));
    await engine.apply();
    expect(engine.changes()).toEqual(["create a", "update b", "delete a"]);
  });

  test("that is noted in the state, also by a run that changes nothing else", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a") + small("b"));
    engine.configure(
      small("a") + small("b", "depends_on = [test_small.a]\nlifecycle {\n create_before_destroy = true\n}"),
    );
    await engine.apply();
    expect(engine.changes()).toEqual([]);
    expect(engine.object("test_small.b").dependencies).toEqual(["test_small.a"]);
    expect(engine.object("test_small.b").createBeforeDestroy).toBe(true);
    expect(engine.object("test_small.a").createBeforeDestroy).toBe(true);
  });
});

describe("what has changed since the plan is refused", () => {
  test("an update is not made on top of someone else's", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"') + small("b", 'value = "one"'));
    engine.configure(small("a", 'value = "two"') + small("b", 'value = "two"'));
    const { plan } = await engine.plan();
    engine.provider.world.store("test_small-1", { value: "theirs" });
    const result = await engine.apply(plan);
    expect(summaries(result.diagnostics)).toEqual(["error: Resource has changed since the plan was made"]);
    expect(engine.provider.world.get("test_small-1")?.attributes.value).toBe("theirs");
    expect(engine.attributes("test_small.b").value).toBe("two");
  });

  test("what changes by itself refuses nothing, and is no drift", async () => {
    const engine = new TestEngine("");
    engine.wrap = withVolatile("test_small", "value");
    await engine.given(small("a", 'force = "one"'));
    engine.provider.world.store("test_small-1", { value: "at first" });
    engine.configure("");
    const { plan } = await engine.plan();
    expect(plan.drift).toEqual([]);
    engine.provider.world.store("test_small-1", { value: "since" });
    expect(summaries((await engine.apply(plan)).diagnostics)).toEqual([]);
    expect(engine.objects()).toEqual([]);
  });

  test("what comes of this run's own changes refuses nothing", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"') + small("b", "value = test_small.a.id"));
    engine.configure("");
    const { plan } = await engine.plan();
    // The end of what is attached to an object shows in the object itself.
    engine.provider.alter.apply = (answer) => {
      engine.provider.world.store("test_small-1", { value: "of its own accord" });
      return answer;
    };
    expect(summaries((await engine.apply(plan)).diagnostics)).toEqual([]);
    expect(engine.objects()).toEqual([]);
  });

  test("a delete is not made either", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"'));
    engine.configure("");
    const { plan } = await engine.plan();
    engine.provider.world.store("test_small-1", { value: "theirs" });
    await engine.apply(plan);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(engine.provider.world.names()).toEqual(["a"]);
  });

  test("a replacement that makes first looks before it makes", async () => {
    const engine = new TestEngine("");
    const with1 = 'force = "one"\nlifecycle {\n create_before_destroy = true\n}';
    await engine.given(small("a", with1));
    engine.configure(small("a", with1.replace("one", "two")));
    const { plan } = await engine.plan();
    engine.provider.world.store("test_small-1", { value: "theirs" });
    await engine.apply(plan);
    expect(engine.changes()).toEqual([]);
    expect(engine.objects()).toEqual(["test_small.a"]);
  });

  test("a plan made without reading compares nothing", async () => {
    const engine = new TestEngine("");
    await engine.given(small("a", 'value = "one"'));
    engine.configure(small("a", 'value = "two"'));
    const { plan } = await engine.plan({ refresh: false });
    engine.provider.world.store("test_small-1", { value: "theirs" });
    const result = await engine.apply(plan);
    expect(result.complete).toBe(true);
    expect(engine.attributes("test_small.a").value).toBe("two");
  });
});

describe("the first ^C", () => {
  test("nothing new is begun, what runs is finished, and the state is true", async () => {
    const resources = Array.from({ length: 20 }, (_, i) => small(`a${i}`)).join("");
    const engine = new TestEngine(resources);
    const { promise: until, resolve: release } = Promise.withResolvers<void>();
    engine.provider.faults.add({ on: "create", how: "wait", until, times: 3 });
    const stop = new AbortController();
    const { plan } = await engine.plan();
    engine.provider.log.clear();
    const applying = engine.apply(plan, { stop: stop.signal, parallelism: 3 });
    while (engine.provider.log.count("applyResourceChange") < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    stop.abort();
    release();
    const result = await applying;
    expect(engine.provider.log.count("applyResourceChange")).toBe(3);
    expect(engine.objects()).toHaveLength(3);
    expect(result.complete).toBe(false);
    expect(summaries(result.diagnostics)).toEqual(["error: Interrupted"]);
    expect(result.counts.added).toBe(3);
  });

  test("a plan that is stopped reads nothing more and is not to be applied", async () => {
    const engine = new TestEngine("");
    await engine.given(`resource "test_small" "a" {\n count = 30\n name = "a\${count.index}"\n}`);
    const stop = new AbortController();
    engine.provider.faults.add({ on: "read", how: "slow", milliseconds: 5 });
    setTimeout(() => stop.abort(), 1);
    const { plan, diagnostics } = await engine.plan({ stop: stop.signal });
    expect(plan.errored).toBe(true);
    expect(summaries(diagnostics)).toEqual(["error: Interrupted"]);
    expect(engine.provider.log.count("readResource")).toBeLessThanOrEqual(10);
  });
});

describe("a journal that cannot be written", () => {
  test("the change is not made, and the state of what was done before is kept", async () => {
    const engine = new TestEngine(
      small("a") + small("b", "value = test_small.a.id") + small("c", "value = test_small.b.id"),
    );
    let written = 0;
    const recorder = {
      before: () => (++written > 1 ? Promise.reject(new Error("no space left")) : Promise.resolve()),
      after: () => Promise.resolve(),
    };
    const result = await engine.apply(undefined, { recorder });
    expect(engine.changes()).toEqual(["create a"]);
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(summaries(result.diagnostics)).toEqual(["error: Change not begun"]);
  });

  test("a change that was made and could not be noted is still in the state", async () => {
    const engine = new TestEngine(small("a") + small("b", "value = test_small.a.id"));
    const recorder = { before: () => Promise.resolve(), after: () => Promise.reject(new Error("no space left")) };
    const result = await engine.apply(undefined, { recorder });
    expect(engine.objects()).toEqual(["test_small.a"]);
    expect(summaries(result.diagnostics)).toEqual(["error: Change not recorded"]);
    expect(result.counts.added).toBe(1);
  });
});

/** A provider of whose resource an attribute changes by itself. */
function withVolatile(type: string, attribute: string): TestEngine["wrap"] {
  return (provider) => ({
    ...provider,
    schema: async () => {
      const schema = await provider.schema();
      const resource = schema.resources.get(type)!;
      const changed = { ...resource.block.attributes.get(attribute)!, volatile: true };
      const attributes = new Map(resource.block.attributes).set(attribute, changed);
      const block = { ...resource.block, attributes };
      return { ...schema, resources: new Map(schema.resources).set(type, { ...resource, block }) };
    },
  });
}

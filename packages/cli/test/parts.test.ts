import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ConsulClient } from "@millwright/clients/consul";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { TestFolder } from "./folder.ts";
import type { CommandOutcome } from "./kv-io.ts";
import { Process } from "./process.ts";

/* Several applies of one state at once: each holds the parts that it changes, in a real PostgreSQL and by our own Consul API. */

let postgres: PostgresServer;
let consul: DevServer;
let client: ConsulClient;
let places = 0;
beforeAll(async () => {
  [postgres, consul] = await Promise.all([startPostgres({ database: "states" }), startDevServer()]);
  client = new ConsulClient({ address: consul.address });
});
afterAll(() => Promise.all([postgres.stop(), client.close().then(() => consul.stop())]));

interface Kept {
  readonly type: string;
  config(place: string): Readonly<Record<string, unknown>>;
  read(place: string): Promise<string>;
  /** How long what a killed run held stays held, at most. */
  readonly freedWithin: string;
  readonly holder: string;
}

const backends: readonly Kept[] = [
  {
    type: "pg",
    config: (place) => ({ conn_str: postgres.url, schema_name: place }),
    read: async (place) => {
      const [row] = await postgres.adminSql(`SELECT data FROM "${place}".states WHERE name = 'default'`);
      return String(row?.data);
    },
    freedWithin: "5s",
    holder: "postgres@127\\.0\\.0\\.1",
  },
  {
    type: "consul",
    config: (place) => ({ address: consul.address, path: place }),
    read: async (place) => Buffer.from((await client.kv.get(place)).value!.value).toString(),
    freedWithin: "5s",
    holder: "\\S+@\\S+",
  },
];

/** Two resources that are made when a test says so, one made from the first, and one that is by itself. */
const resources = (scratch: string, inputs: Readonly<Record<string, string>>) => {
  const slow = (name: string) => `resource "terraform_data" "${name}" {
  input            = "${inputs[name] ?? "one"}"
  triggers_replace = "${inputs[name] ?? "one"}"
  provisioner "local-exec" {
    command = "touch ${scratch}/${name}.begun; while [ ! -e ${scratch}/${name}.go ]; do sleep 0.05; done"
  }
}
`;
  return `${slow("a")}${slow("b")}resource "terraform_data" "of_a" {
  input = terraform_data.a.output
}
resource "terraform_data" "alone" {
  input = "${inputs.alone ?? "one"}"
}
output "a" {
  value = terraform_data.a.output
}
output "b" {
  value = terraform_data.b.output
}
`;
};

interface StateJson {
  readonly serial: number;
  readonly outputs: Readonly<Record<string, { readonly value: unknown }>>;
  readonly resources: readonly {
    readonly name: string;
    readonly instances: readonly { readonly attributes: { readonly input: { readonly value: unknown } } }[];
  }[];
}

describe.each(backends)("a state that two runs share in $type", (kept) => {
  let scratch: string;
  let place: string;
  const folders: TestFolder[] = [];
  const processes: Process[] = [];
  beforeEach(async () => {
    scratch = mkdtempSync(join(tmpdir(), "millwright-parts-"));
    place = `p${++places}`;
    go("a");
    go("b");
    const first = await checkout();
    good(await first.run(["apply", "-auto-approve"]));
    for (const file of ["a.go", "b.go", "a.begun", "b.begun"]) rmSync(join(scratch, file), { force: true });
  });
  afterEach(() => {
    for (const process of processes.splice(0)) process.signal("SIGKILL");
    for (const folder of folders.splice(0)) folder.remove();
    rmSync(scratch, { recursive: true });
  });

  /** A folder of one's own with the configuration, where these inputs are changed. */
  async function checkout(inputs: Readonly<Record<string, string>> = {}): Promise<TestFolder> {
    const backend = JSON.stringify({ terraform: { backend: { [kept.type]: kept.config(place) } } });
    const folder = new TestFolder({ "main.tf": resources(scratch, inputs), "backend.tf.json": backend });
    folders.push(folder);
    good(await folder.run(["init"]));
    return folder;
  }
  const good = ({ code, out, err }: CommandOutcome) => expect(code, out + err).toBe(0);
  const go = (name: string) => writeFileSync(join(scratch, `${name}.go`), "");
  async function begun(name: string, run: Promise<unknown>): Promise<void> {
    const ended = run.then(() => true);
    while (!existsSync(join(scratch, `${name}.begun`))) {
      if (await Promise.race([ended, pause(20, false)]))
        throw new Error(`it ended before ${name}: ${String(await run)}`);
    }
  }
  async function state(): Promise<StateJson & { readonly inputs: Readonly<Record<string, unknown>> }> {
    const plain = JSON.parse(await kept.read(place)) as StateJson;
    const inputs = plain.resources.map(({ name, instances }) => [name, instances[0]?.attributes.input.value]);
    return { ...plain, inputs: Object.fromEntries(inputs) as Readonly<Record<string, unknown>> };
  }
  const parts = ["apply", "-auto-approve", "-lock-scope=parts"];
  const plainText = ({ err }: CommandOutcome) => err.replaceAll(/\s*│ ?/g, " ").replaceAll(/\s+/g, " ");

  test("applies of disjoint parts go on at once, and what both did is in the state", async () => {
    const before = (await state()).serial;
    const [one, other] = [await checkout({ a: "two" }), await checkout({ b: "two" })];
    const first = one.run([...parts, "-target=terraform_data.a", "-target=terraform_data.of_a"]);
    await begun("a", first);
    const second = other.run([...parts, "-target=terraform_data.b"]);
    await begun("b", second);
    go("b");
    good(await second);
    expect((await state()).inputs).toMatchObject({ a: "one", b: "two" });
    go("a");
    good(await first);
    const { inputs, outputs, serial } = await state();
    expect(inputs).toEqual({ a: "two", b: "two", of_a: "two", alone: "one" });
    expect(outputs).toMatchObject({ a: { value: "two" }, b: { value: "two" } });
    expect(serial).toBe(before + 2);
    const whole = await checkout({ a: "two", b: "two" });
    good(await whole.run(["plan", "-detailed-exitcode"]));
  });

  test("one that would change what another works on is refused, and told who has what", async () => {
    const [one, other] = [await checkout({ a: "two" }), await checkout({ a: "three" })];
    const first = one.run([...parts, "-target=terraform_data.a"]);
    await begun("a", first);
    const refused = await other.run([...parts, "-target=terraform_data.a"]);
    expect(refused.code).toBe(1);
    expect(plainText(refused)).toMatch(
      new RegExp(
        `Held by ${kept.holder} since 20\\S+ \\(OperationTypeApply, ID \\S+\\): (- output\\.a )?- terraform_data\\.a `,
      ),
    );
    go("a");
    good(await first);
    expect((await state()).inputs.a).toBe("two");
  });

  test("so is one that would change what another relies on", async () => {
    const [one, other] = [await checkout({ a: "two" }), await checkout({ a: "two", alone: "two" })];
    other.write({ "more.tf": 'resource "terraform_data" "late" {\n  input = terraform_data.alone.output\n}\n' });
    one.write({
      "more.tf": `resource "terraform_data" "late" {
  input = terraform_data.alone.output
  provisioner "local-exec" {
    command = "touch ${scratch}/late.begun; while [ ! -e ${scratch}/late.go ]; do sleep 0.05; done"
  }
}
`,
    });
    const first = one.run([...parts, "-target=terraform_data.late"]);
    await begun("late", first);
    const refused = await other.run([...parts, "-target=terraform_data.alone"]);
    expect([refused.code, plainText(refused)]).toEqual([1, expect.stringContaining("- terraform_data.alone ")]);
    go("late");
    good(await first);
  });

  test("one that may wait does, and plans again what has moved", async () => {
    const [one, other] = [await checkout({ a: "two" }), await checkout({ a: "three" })];
    const first = one.run([...parts, "-target=terraform_data.a"]);
    await begun("a", first);
    const second = other.run([...parts, "-lock-timeout=60s"]);
    await pause(1_000);
    go("a");
    good(await first);
    const done = await second;
    good(done);
    expect(`${done.out}${done.err}`).toContain("Plan made again");
    expect((await state()).inputs).toMatchObject({ a: "three", of_a: "three" });
  });

  test("who wants the whole state is kept out and keeps out", async () => {
    const [one, other] = [await checkout({ a: "two" }), await checkout({ b: "two" })];
    const first = one.run([...parts, "-target=terraform_data.a"]);
    await begun("a", first);
    const refused = await other.run(["apply", "-auto-approve", "-target=terraform_data.b"]);
    expect([refused.code, plainText(refused)]).toEqual([1, expect.stringMatching(`is held by ${kept.holder}`)]);
    expect((await other.run(["state", "rm", "terraform_data.alone"])).code).toBe(1);
    go("a");
    good(await first);
    const whole = other.run(["apply", "-auto-approve", "-target=terraform_data.b"]);
    await begun("b", whole);
    expect((await one.run([...parts, "-target=terraform_data.a"])).code).toBe(1);
    go("b");
    good(await whole);
  });

  test("objects are moved beside it; what was made after them is held too", async () => {
    const [one, other] = [await checkout({ b: "two" }), await checkout()];
    const renamed = (from: string, to: string) => {
      const main = other.read("main.tf").replaceAll(`terraform_data.${from}.`, `terraform_data.${to}.`);
      const block = `moved {\n  from = terraform_data.${from}\n  to   = terraform_data.${to}\n}\n`;
      other.write({ "main.tf": `${main.replace(`"terraform_data" "${from}"`, `"terraform_data" "${to}"`)}${block}` });
      return [...parts, `-target=terraform_data.${from}`, `-target=terraform_data.${to}`];
    };
    const first = one.run([...parts, "-target=terraform_data.b"]);
    await begun("b", first);
    good(await other.run(renamed("alone", "solitary")));
    good(await other.run([...renamed("a", "z"), "-target=terraform_data.of_a"]));
    const refused = await other.run(renamed("b", "y"));
    expect([refused.code, plainText(refused)]).toEqual([1, expect.stringContaining("- terraform_data.b ")]);
    go("b");
    good(await first);
    expect((await state()).inputs).toEqual({ z: "one", b: "two", of_a: "one", solitary: "one" });
    const [ofA] = (await state()).resources.filter(({ name }) => name === "of_a");
    expect(ofA).toMatchObject({ instances: [{ dependencies: ["terraform_data.z"] }] });
  });

  test("a saved plan is stale only where its own parts have moved", async () => {
    const [one, other] = [await checkout({ alone: "two" }), await checkout({ b: "two" })];
    go("b");
    good(await one.run(["plan", "-lock-scope=parts", "-target=terraform_data.alone", "-out=one.plan"]));
    good(await one.run(["plan", "-lock-scope=parts", "-target=terraform_data.alone", "-out=later.plan"]));
    good(await other.run([...parts, "-target=terraform_data.b"]));
    const whole = await one.run(["apply", "one.plan"]);
    expect([whole.code, plainText(whole)]).toEqual([1, expect.stringContaining("Saved plan is stale")]);
    good(await one.run(["apply", "-lock-scope=parts", "one.plan"]));
    const stale = await one.run(["apply", "-lock-scope=parts", "later.plan"]);
    expect([stale.code, plainText(stale)]).toEqual([
      1,
      expect.stringContaining("since it was created: terraform_data.alone."),
    ]);
    expect((await state()).inputs).toEqual({ a: "one", b: "two", of_a: "one", alone: "two" });
  });

  test("one that is killed leaves its parts free and the other undisturbed; its next run takes in what it did", async () => {
    const [one, other] = [await checkout({ a: "two", alone: "two" }), await checkout({ b: "two" })];
    const targets = ["-target=terraform_data.a", "-target=terraform_data.alone"];
    const killed = Process.start([...parts, ...targets], { cwd: one.path });
    processes.push(killed);
    await begun("a", killed.ended);
    await killed.until(() => /alone: Modifications complete/.test(killed.out));
    const second = other.run([...parts, "-target=terraform_data.b"]);
    await begun("b", second);
    killed.signal("SIGKILL");
    await killed.ended;
    go("a");
    const third = await (await checkout({ alone: "three" })).run([
      ...parts,
      `-lock-timeout=${kept.freedWithin}`,
      "-target=terraform_data.of_a",
    ]);
    good(third);
    const taken = await one.run([...parts, `-lock-timeout=${kept.freedWithin}`, ...targets]);
    good(taken);
    expect(`${taken.out}${taken.err}`).toContain("Took in what an interrupted run had done");
    go("b");
    good(await second);
    expect((await state()).inputs).toEqual({ a: "two", b: "two", of_a: "one", alone: "two" });
  }, 90_000);

  test("in one folder there is one run at a time", async () => {
    const one = await checkout({ a: "two", b: "two" });
    const first = one.run([...parts, "-target=terraform_data.a"]);
    await begun("a", first);
    const refused = await one.run([...parts, "-target=terraform_data.b"]);
    expect([refused.code, plainText(refused)]).toEqual([1, expect.stringContaining("is held by")]);
    go("a");
    good(await first);
  });
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { playScript, readScript } from "./script.ts";

const place = new URL("./scripts/", import.meta.url);
const scripts = readdirSync(place).filter((name) => name.endsWith(".txtar"));
const docs = new URL("../../../docs/compatibility/", import.meta.url);
const page = readFileSync(new URL("terraform.md", docs), "utf8");
const commandLine = readFileSync(new URL("terraform-cli.md", docs), "utf8");

describe("what the table of Terraform's features says is so", () => {
  for (const name of scripts) {
    const script = readScript(name, readFileSync(new URL(name, place), "utf8"));
    test(`${name}: ${script.comment}`, async () => {
      const folder = new TestFolder(script.files);
      try {
        const style = script.comment.startsWith("tofu:") ? "tofu" : "terraform";
        await playScript(script, { folder: folder.path, run: (args, env) => folder.run(args, { env }, style) });
      } finally {
        folder.remove();
      }
    });
  }

  test("each feature that is there names a case, and each case is named", () => {
    const rows = [
      ...`${page}\n${commandLine}`.matchAll(/^\| (.+?) \| (there|ours|other|absent) \| (.*?) \| (.*?) \|$/gm),
    ];
    const named = rows.flatMap(([, , , cases = ""]) => [...cases.matchAll(/`([\w./-]+)`/g)].map(([, name]) => name!));
    const without = rows
      .filter(([, , status, cases]) => status !== "absent" && !/`/.test(cases ?? ""))
      .map(([row]) => row);
    expect(without).toEqual([]);
    const own = new Set(scripts.map((name) => name.replace(".txtar", "")));
    const isTest = (name: string) => name.endsWith(".test.ts") && existsSync(new URL(`../../${name}`, import.meta.url));
    expect(named.filter((name) => !own.has(name) && !isTest(name))).toEqual([]);
    expect([...own].filter((name) => !named.includes(name))).toEqual([]);
  });
});

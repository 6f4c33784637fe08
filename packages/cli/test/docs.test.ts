import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { splitWords } from "../src/terraform/environment.ts";
import { TestFolder } from "./folder.ts";

/* Every command in the task pages is run, and its output compared. UPDATE=1 writes the pages anew. */

const docs = new URL("../../../docs/", import.meta.url);
const pages = ["format-and-check.md", "instances.md", "plan-and-apply.md", "refactoring.md", "state.md"];

let folder: TestFolder | undefined;
afterEach(() => folder?.remove());

/** The page with the output of its commands as it is now: blocks of `terraform` and `ts` are files, blocks of `console` sessions. */
async function replayed(page: string, home: TestFolder): Promise<string> {
  const parts = page.split(/^(```(?:terraform|ts|console)[^\n]*\n[\s\S]*?^```\n)/m);
  for (const [i, part] of parts.entries()) {
    const file = /^```(?:terraform|ts) (\S+)\n([\s\S]*)^```\n$/m.exec(part);
    if (file) home.write({ [file[1]!]: file[2]! });
    const session = /^```console\n([\s\S]*)^```\n$/m.exec(part);
    if (session) parts[i] = `\`\`\`console\n${await sessionAgain(session[1]!, home)}\`\`\`\n`;
  }
  return parts.join("");
}

async function sessionAgain(text: string, home: TestFolder): Promise<string> {
  let again = "";
  for (const line of text.split("\n").filter((l) => l.startsWith("$ "))) {
    const words = splitWords(line.slice(2)) ?? [];
    expect(words[0], line).toBe("millwright");
    const { out, err } = await home.run(words.slice(1));
    const said = `${out}${err}`.trimEnd();
    again += `${line}\n${said === "" ? "" : `${said}\n`}`;
  }
  return again;
}

/** Without what differs from run to run. */
function steady(text: string): string {
  return text
    .replace(/\blinux_\w+/g, "PLATFORM")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
    .replace(/^(?:[\w-]+: )?terraform_data\.\S+ (?:Creating|Creation|Destroying|Destruction|Refreshing).*\n/gm, "");
}

describe("the task pages tell what the program does", () => {
  test.each(pages)("%s", async (name) => {
    folder = new TestFolder();
    const path = new URL(name, docs);
    const page = readFileSync(path, "utf8");
    const again = await replayed(page, folder);
    if (process.env.UPDATE === "1") writeFileSync(path, again);
    else expect(steady(again)).toBe(steady(page));
  });

  test("name no page that is not there", () => {
    const there = new Set(readdirSync(docs, { recursive: true, encoding: "utf8" }));
    for (const name of pages) {
      const page = readFileSync(new URL(name, docs), "utf8");
      for (const [, target] of page.matchAll(/\]\(([\w/.-]+\.md)\)/g))
        expect(there, `${name}: ${target}`).toContain(target);
    }
  });
});

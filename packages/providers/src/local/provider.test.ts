import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import type { Value } from "@millwright/value/value";
import { isNull, stringValue } from "@millwright/value/value";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { localProvider } from "./provider.ts";

type Data = Readonly<Record<string, unknown>>;
let provider: Provider;
let folder: string;

beforeEach(async () => {
  provider = localProvider.start();
  await configureForTest(provider);
  folder = mkdtempSync(join(tmpdir(), "millwright-local-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function create(type: string, data: Data) {
  return (await Drive.of(provider, type)).apply(data);
}

async function isThere(state: Value): Promise<boolean> {
  return !isNull((await (await Drive.of(provider, "local_file")).read(state)).state);
}

test.each([
  ["local_file", "present"],
  ["local_sensitive_file", "absent"],
] as const)("%s keeps the provider contract", async (type, interrupted) => {
  const filename = join(folder, "a/b.txt");
  const life = {
    type,
    config: { filename, content: "one" },
    changes: [
      { filename, content: "two" },
      { filename, content_base64: "/w==" },
    ],
    interrupted,
  };
  expect(await contractViolations(provider, life)).toEqual([]);
  expect(existsSync(filename)).toBe(false);
});

describe("a file", () => {
  test("is written with its folders, permissions and checksums", async () => {
    const filename = join(folder, "deep/er/file.txt");
    const { plain } = await create("local_file", {
      filename,
      content: "hello",
      file_permission: "0640",
      directory_permission: "0750",
    });
    expect(readFileSync(filename, "utf8")).toBe("hello");
    expect(statSync(filename).mode & 0o777).toBe(0o640);
    expect(statSync(join(folder, "deep")).mode & 0o777).toBe(0o750);
    expect(plain).toEqual({
      filename,
      content: "hello",
      content_base64: null,
      sensitive_content: null,
      source: null,
      file_permission: "0640",
      directory_permission: "0750",
      id: "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
      content_md5: "5d41402abc4b2a76b9719d911017c592",
      content_sha1: "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
      content_sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
      content_base64sha256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
      content_sha512:
        "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043",
      content_base64sha512: "m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==",
    });
  });

  test("takes its content from text, base64, another file or a secret", async () => {
    const source = join(folder, "source");
    writeFileSync(source, "from a file");
    const contents = [
      { content_base64: "ZnJvbSBiYXNlNjQ=", want: "from base64" },
      { source, want: "from a file" },
      { sensitive_content: "a secret", want: "a secret" },
    ];
    for (const { want, ...content } of contents) {
      const filename = join(folder, want);
      const { diagnostics } = await create("local_file", { filename, ...content });
      expect(diagnostics).toEqual([]);
      expect(readFileSync(filename, "utf8")).toBe(want);
    }
  });

  test("is gone when it was removed, or changed by hand", async () => {
    const filename = join(folder, "file");
    const { state } = await create("local_file", { filename, content: "x" });
    expect(await isThere(state)).toBe(true);
    writeFileSync(filename, "y");
    expect(await isThere(state)).toBe(false);
    rmSync(filename);
    expect(await isThere(state)).toBe(false);
  });

  test("of a secret is for its owner alone, unless something else is said", async () => {
    const filename = join(folder, "secret");
    await create("local_sensitive_file", { filename, content: "x" });
    expect(statSync(filename).mode & 0o777).toBe(0o700);
  });

  test("that cannot be written says where and why, and leaves nothing", async () => {
    const blocked = join(folder, "blocked");
    writeFileSync(blocked, "");
    const { state, diagnostics } = await create("local_file", { filename: join(blocked, "file"), content: "x" });
    expect(isNull(state)).toBe(true);
    expect(diagnostics).toMatchObject([{ summary: "Create local file error", attribute: [{ attribute: "filename" }] }]);
  });

  test.runIf(existsSync("/proc"))("in a folder that takes no others is refused, and not tried for ever", async () => {
    const { diagnostics } = await create("local_file", { filename: "/proc/none/such/file", content: "x" });
    expect(diagnostics).toMatchObject([{ summary: "Create local file error" }]);
  });
});

describe("what cannot be", () => {
  const cases: readonly { name: string; data: Data; want: RegExp }[] = [
    { name: "no content at all", data: {}, want: /Set exactly one of them/ },
    {
      name: "two contents",
      data: { content: "a", source: "b" },
      want: /"content" and "source" cannot be set together/,
    },
    {
      name: "a permission that is no octal number",
      data: { content: "a", file_permission: "rw-" },
      want: /"rw-" is no file permission/,
    },
    {
      name: "a permission with too many digits",
      data: { content: "a", directory_permission: "00777" },
      want: /three or four octal digits/,
    },
    {
      name: "a permission above 0777",
      data: { content: "a", directory_permission: "4755" },
      want: /is no file permission/,
    },
  ];
  test.each(cases)("$name", async ({ data, want }) => {
    const diagnostics = await (await Drive.of(provider, "local_file")).validate({ filename: "x", ...data });
    expect(diagnostics.map((d) => d.detail).join("\n")).toMatch(want);
  });
});

test("the data sources read a file, its checksums, and say when it is not there", async () => {
  const filename = join(folder, "file");
  writeFileSync(filename, "hello");
  for (const type of ["local_file", "local_sensitive_file"]) {
    const { block } = (await provider.schema()).dataSources.get(type)!;
    const { state } = await provider.readDataSource({ type, config: objectFor(block, { filename }) });
    expect(plainOf(block, state)).toMatchObject({
      content: "hello",
      content_base64: "aGVsbG8=",
      id: "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
    });
    const missing = await provider.readDataSource({
      type,
      config: objectFor(block, { filename: join(folder, "none") }),
    });
    expect(missing.diagnostics).toMatchObject([{ summary: "Read local file data source error" }]);
    expect(block.attributes.get("content")?.sensitive ?? false).toBe(type === "local_sensitive_file");
  }
});

test("direxists tells folders from nothing, and refuses files", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const ask = (path: string) => provider.callFunction({ name: "direxists", args: [stringValue(path)] });
  expect(await ask(folder)).toMatchObject({ ok: true, result: { data: true } });
  expect(await ask(join(folder, "none"))).toMatchObject({ ok: true, result: { data: false } });
  expect(await ask(file)).toMatchObject({
    ok: false,
    argument: 0,
    message: expect.stringContaining("is not a folder"),
  });
});

test("an interrupted create of a file has happened where the file holds what was sent", async () => {
  const filename = join(folder, "x");
  const drive = await Drive.of(provider, "local_file");
  const sent = { filename, content: "whole", file_permission: "0777", directory_permission: "0777" };
  expect(await drive.findInterrupted(sent)).toMatchObject({ kind: "absent" });
  writeFileSync(filename, "who");
  expect(await drive.findInterrupted(sent)).toMatchObject({ kind: "absent" });
  writeFileSync(filename, "whole");
  expect(await drive.findInterrupted(sent)).toMatchObject({ kind: "present", plain: { filename, content: "whole" } });
});

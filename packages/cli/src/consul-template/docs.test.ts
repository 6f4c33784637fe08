import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settingFlags, templateFlags } from "./flags.ts";
import { type SettingFields, settingFields } from "./settings.ts";

const page = readFileSync(new URL("../../../../docs/templates.md", import.meta.url), "utf8");

function settingNames(fields: SettingFields): readonly string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    if (typeof field === "string") return [name];
    return [name, ...settingNames(Array.isArray(field) ? field[0] : (field as SettingFields))];
  });
}

test("the page names every setting of a configuration file", () => {
  expect(settingNames(settingFields).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test("every flag that sets something is a flag, and its place is a setting", () => {
  for (const [name, path] of Object.entries(settingFlags)) {
    expect(Object.keys(templateFlags)).toContain(name);
    let field: SettingFields[string] | undefined = settingFields;
    for (const part of path) field = (field as SettingFields)[part];
    expect(field, name).toBeDefined();
  }
});

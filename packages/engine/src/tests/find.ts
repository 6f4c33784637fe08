import type { Files } from "../ports.ts";

/** The test files of a folder and of its folder of tests, in the order in which they are run. */
export function testFilesOf(files: Files, directory: string): string[] {
  const ending = /\.(tftest|tofutest)\.(hcl|json)$/;
  const of = (folder: string) => {
    const names = (files.list(folder === "" ? "." : folder) ?? []).filter((name) => ending.test(name));
    const all = new Set(names);
    // A file for OpenTofu hides its twin for Terraform.
    const wanted = names.filter(
      (name) => !name.includes(".tftest.") || !all.has(name.replace(".tftest.", ".tofutest.")),
    );
    return wanted.map((name) => (folder === "" ? name : `${folder}/${name}`));
  };
  const clean = cleanFolder(directory);
  return [...of(""), ...(clean === "" ? [] : of(clean))].sort();
}

/** `./tests/` as `tests`; empty for the folder itself. */
export function cleanFolder(directory: string): string {
  return directory
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

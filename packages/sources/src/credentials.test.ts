import { chmodSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { emptyCliConfig } from "./cli-config.ts";
import { Credentials } from "./credentials.ts";

let home: TemporaryFolder;
beforeEach(() => {
  home = new TemporaryFolder();
});
afterEach(() => home.remove());

describe("the token of a host", () => {
  test("is what login has stored, in a file that only its owner reads, until logout", async () => {
    const credentials = new Credentials({ HOME: home.path }, emptyCliConfig);
    expect(await credentials.tokenFor("a.example.com")).toBeUndefined();
    await credentials.store("a.example.com", "one");
    await credentials.store("b.example.com", "two");
    expect(statSync(credentials.file).mode & 0o777).toBe(0o600);
    expect(await credentials.tokenFor("a.example.com")).toBe("one");
    expect([await credentials.forget("a.example.com"), await credentials.forget("a.example.com")]).toEqual([
      true,
      false,
    ]);
    expect(await credentials.tokenFor("b.example.com")).toBe("two");
  });

  test("is first of all the environment's, then that of the settings", async () => {
    const config = { ...emptyCliConfig, credentials: new Map([["a-b.example.com", "settings"]]) };
    const env = { HOME: home.path, TF_TOKEN_a__b_example_com: "environment" };
    expect(await new Credentials(env, config).tokenFor("a-b.example.com")).toBe("environment");
    expect(await new Credentials({ HOME: home.path }, config).tokenFor("a-b.example.com")).toBe("settings");
  });

  test("may come from a helper, which is told what to keep", async () => {
    home.write(
      ".terraform.d/plugins/terraform-credentials-test",
      `#!/bin/sh\nif [ "$2" = get ]; then echo '{"token":"helped '$3'"}'; else cat > "$HOME/$2"; fi\n`,
    );
    chmodSync(home.at(".terraform.d/plugins/terraform-credentials-test"), 0o755);
    const config = { ...emptyCliConfig, credentialsHelper: { name: "test", args: ["-x"] } };
    const credentials = new Credentials({ HOME: home.path, PATH: process.env["PATH"] ?? "" }, config);
    expect(await credentials.tokenFor("a.example.com")).toBe("helped a.example.com");
    await credentials.store("a.example.com", "new");
    expect(readFileSync(home.at("store"), "utf8")).toBe('{"token":"new"}');
  });

  test("is not guessed from a file that cannot be read", async () => {
    home.write(".terraform.d/credentials.tfrc.json", "{");
    await expect(new Credentials({ HOME: home.path }, emptyCliConfig).tokenFor("a.example.com")).rejects.toThrow(
      /holds no JSON/,
    );
  });
});

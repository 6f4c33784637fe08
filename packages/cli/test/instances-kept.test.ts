import { existsSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { inTypeScript, objects } from "./instance-folders.ts";

/* What is kept of instances of templates: where their states are, and what is known of those that are no longer listed. */

let made: TestFolder | undefined;
afterEach(() => {
  made?.remove();
  made = undefined;
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  made = new TestFolder(files);
  return made;
}

describe("an instance that is no longer listed", () => {
  const without = {
    "prod.instances.ts": `import { instance } from "millwright";
instance("network", "./network", { region: "eu" });
`,
  };

  test("is planned to be destroyed, by the template it was made by, also where that is gone", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("apply", "-auto-approve");
    folder.write({ ...without, "app/main.tf": "# nothing left" });
    const plan = await folder.must("plan");
    expect(plan.out).toContain("── app-blue template app, no longer listed, to be destroyed ──");
    expect(plan.out).toContain("Plan for 2 instances: 0 to add, 0 to change, 2 to destroy.");
    await folder.must("apply", "-auto-approve");
    expect([objects(folder, "app-blue"), objects(folder, "network")]).toEqual([[], ["terraform_data.vpc"]]);
    expect((await folder.must("plan")).out).toContain("No changes.");
  });

  test("goes only after those that used it have been made without it", async () => {
    const folder = folderWith(inTypeScript);
    await folder.must("apply", "-auto-approve");
    folder.write({
      "prod.instances.ts": `import { instance } from "millwright";
const fresh = instance("fresh", "./network", { region: "us" });
for (const color of ["blue", "green"]) instance(\`app-\${color}\`, "./app", { vpc_id: fresh.vpc_id, color });
`,
    });
    const applied = await folder.must("apply", "-auto-approve");
    const at = (text: string) => applied.out.indexOf(text);
    expect(at("fresh: terraform_data.vpc: Creation complete")).toBeLessThan(
      at("app-blue: terraform_data.app: Modifying"),
    );
    expect(at("app-green: terraform_data.app: Modifications complete")).toBeLessThan(
      at("network: terraform_data.vpc: Destroying"),
    );
  });
});

test("all is destroyed by what is remembered where templates are gone, and history is kept for each instance", async () => {
  const folder = folderWith(inTypeScript);
  await folder.must("apply", "-auto-approve");
  expect((await folder.must("history", "-instance=app-blue")).out).toMatch(/apply/);
  for (const name of ["app", "network"]) rmSync(join(folder.path, name), { recursive: true });
  const lost = await folder.run(["plan"]);
  expect([lost.code, lost.err]).toEqual([1, expect.stringContaining("There is no folder network")]);
  expect((await folder.must("state", "list", "-instance=app-blue")).out).toBe("terraform_data.app\n");
  const destroyed = await folder.must("destroy", "-auto-approve");
  expect(destroyed.out).toContain("Destroy complete! 3 instances.");
});

test("where states are encrypted, saved plans are too, and no secret input lies beside them in clear", async () => {
  const encryption = `terraform {
  encryption {
    key_provider "pbkdf2" "p" { passphrase = "a long enough passphrase" }
    method "aes_gcm" "m" { keys = key_provider.pbkdf2.p }
    state { method = method.aes_gcm.m }
    plan { method = method.aes_gcm.m }
  }
}
`;
  const folder = folderWith({
    "app/main.tf": `${encryption}variable "token" { sensitive = true }\nresource "terraform_data" "a" { input = var.token }\n`,
    "all.instances.hcl": 'instance "a" {\n  source = "./app"\n  token  = "hunter2"\n}\n',
  });
  await folder.must("plan", "-out=x.plan");
  await folder.must("apply", "x.plan");
  for (const name of ["terraform.tfstate", "made-by.json"])
    expect(folder.read(`.millwright/instances/a/${name}`)).not.toContain(
      name === "made-by.json" ? '"token",' : "hunter2",
    );
  expect((await folder.must("plan")).out).toContain("No changes.");
  folder.write({ "all.instances.hcl": "" });
  const refused = await folder.run(["plan"]);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Secret inputs are not kept")]);
});

describe("a template with a backend", () => {
  const backend = (folder: string) => `terraform {
  backend "local" {
    workspace_dir = "${folder}"
  }
}
`;
  const files = (folder: string) => ({
    "app/backend.tf": backend(folder),
    "app/main.tf": 'resource "terraform_data" "a" {}\noutput "vpc_id" { value = terraform_data.a.id }\n',
    "all.instances.hcl": 'instance "one" { source = "./app" }\ninstance "two" { source = "./app" }\n',
  });

  test("keeps the state of each instance there under its name, and is remembered when the template is gone", async () => {
    const folder = folderWith(files("../states"));
    await folder.must("apply", "-auto-approve");
    for (const name of ["one", "two"]) {
      expect(existsSync(join(folder.path, "states", name, "terraform.tfstate"))).toBe(true);
      expect(existsSync(join(folder.path, ".millwright/instances", name, "terraform.tfstate"))).toBe(false);
    }
    expect((await folder.must("state", "list", "-instance=two")).out).toBe("terraform_data.a\n");
    rmSync(join(folder.path, "app"), { recursive: true });
    folder.write({ "all.instances.hcl": "", "app/other.txt": "" });
    const applied = await folder.must("apply", "-auto-approve");
    expect(applied.out).toContain("Resources: 0 added, 0 changed, 2 destroyed.");
  });

  test("that has moved is not taken for one without a state", async () => {
    const folder = folderWith(files("../states"));
    await folder.must("apply", "-auto-approve");
    folder.write({ "app/backend.tf": backend("../elsewhere") });
    const moved = await folder.run(["plan"]);
    expect([moved.code, moved.err]).toEqual([1, expect.stringContaining("State is kept elsewhere")]);
    folder.write({ "app/backend.tf": backend("../states") });
    for (const name of ["one", "two"]) {
      const { out } = await folder.must("state", "pull", `-instance=${name}`);
      folder.write({ "app/backend.tf": backend("../elsewhere"), [`app/${name}.tfstate`]: out });
      await folder.must("state", "push", `-instance=${name}`, `${name}.tfstate`);
      folder.write({ "app/backend.tf": backend("../states") });
    }
    folder.write({ "app/backend.tf": backend("../elsewhere") });
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
  });

  test("that keeps one state only is refused for two instances, unless its address differs between them", async () => {
    const states = new Map<string, string>();
    const server = createServer(async (request, response) => {
      const url = request.url ?? "";
      if (request.method === "POST") states.set(url, await text(request));
      response.writeHead(request.method === "GET" && !states.has(url) ? 404 : 200).end(states.get(url));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const http = (path: string) => `terraform {
  backend "http" {
    address = "http://127.0.0.1:${port}/${path}"
  }
}
variable "name" {}
`;
    try {
      const list = ["one", "two"].map((name) => `instance "${name}" {\n  source = "./app"\n  name = "${name}"\n}\n`);
      const folder = folderWith({ ...files("x"), "app/backend.tf": http("all"), "all.instances.hcl": list.join("") });
      const refused = await folder.run(["plan"]);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Two instances in one state")]);
      folder.write({ "app/backend.tf": http("${var.name}") });
      await folder.must("apply", "-auto-approve");
      expect([...states.keys()].sort()).toEqual(["/one", "/two"]);
    } finally {
      server.close();
    }
  });
});

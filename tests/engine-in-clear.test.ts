import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, runCommand } from "./support/commands.ts";

/* A configuration with secrets, whose state a server with a password keeps: what the engine prints and leaves behind is
   searched for them. */

const millwright = join(root, "packages/cli/bin/millwright");
const secrets = { variable: "var-s3cret-value-1", backend: "backend-s3cret-value-2" };

const configuration = (address: string) => `
terraform {
  backend "http" {
    address  = "${address}"
    username = "me"
  }
}
variable "password" {
  sensitive = true
}
resource "terraform_data" "login" {
  triggers_replace = [var.password]
  provisioner "local-exec" {
    command = "echo \${var.password}; false"
    on_failure = continue
  }
  provisioner "local-exec" {
    command = "for p in $PPID $(ps -o ppid= -p $PPID); do tr '\\\\0' ' ' < /proc/$p/cmdline; done > arguments.txt"
  }
}
output "password" {
  value     = var.password
  sensitive = true
}
check "login" {
  assert {
    condition     = var.password == "other"
    error_message = "It is \${var.password}."
  }
}
`;
const tests = `
run "login" {
  assert {
    condition     = output.password == "other"
    error_message = "It is \${output.password}."
  }
}
`;

let folder: string;
let server: Server;
let state: Buffer | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "engine-in-clear-"));
  const login = `Basic ${Buffer.from(`me:${secrets.backend}`).toString("base64")}`;
  server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on("data", (piece: Buffer) => body.push(piece));
    request.on("end", () => {
      const isAllowed = request.headers.authorization === login;
      if (isAllowed && request.method === "POST") state = Buffer.concat(body);
      const status = isAllowed ? (request.method === "GET" && !state ? 404 : 200) : 401;
      response.writeHead(status).end(request.method === "GET" && status === 200 ? state : "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/state`;
  mkdirSync(join(folder, "tests"));
  writeFileSync(join(folder, "main.tf"), configuration(address));
  writeFileSync(join(folder, "tests/login.tftest.hcl"), tests);
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Where docs/security.md says that they may be, by file; each is its owner's alone. */
const mayHold: readonly RegExp[] = [/^\.terraform\/terraform\.tfstate$/, /^\.millwright\/history\/.*\.plan$/, /^plan$/];

test("secrets of a run are in what it prints, leaves behind and shows of its processes at no place but those listed", async () => {
  const printed: string[] = [];
  const typed = async (line: string, more: NodeJS.ProcessEnv = {}) => {
    const env = {
      ...process.env,
      TF_VAR_password: secrets.variable,
      TF_HTTP_PASSWORD: secrets.backend,
      TF_LOG: "trace",
    };
    const { out, err } = await runCommand("/bin/sh", ["-c", line], {
      cwd: folder,
      env: { ...env, ...more },
      input: "",
    });
    printed.push(`${line}\n${out}${err}`);
    return out;
  };
  await typed(`${millwright} init`, { TF_HTTP_PASSWORD: `${secrets.backend}-wrong` });
  await typed(`${millwright} init`);
  await typed(`${millwright} plan -why=terraform_data.login -out=plan`);
  const applied = await typed(`${millwright} apply plan`);
  expect(applied).toContain("Apply complete!");
  const line = (args: string) => typed(`${millwright} ${args}`, { TF_VAR_password: `${secrets.variable}-new` });
  for (const args of ["plan -json", "plan -why=terraform_data.login -json", "graph -plan=plan", "drift -json"])
    await line(args);
  await typed(`echo var.password | ${millwright} console -plan`);
  await line("apply -auto-approve -json");
  for (const args of [
    "history",
    "history 2",
    "history -json",
    "output",
    "test -verbose -junit-xml=report.xml",
    "test -json",
  ])
    await line(args);
  await line("revert -auto-approve 1");
  expect(readFileSync(join(folder, "arguments.txt"), "utf8")).toContain("millwright");

  const found = printed.filter((text) => Object.values(secrets).some((secret) => text.includes(secret)));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    const name = relative(folder, path);
    if (mayHold.some((place) => place.test(name))) {
      expect([name, statSync(path).mode & 0o077]).toEqual([name, 0]);
      continue;
    }
    const bytes = readFileSync(path);
    if (Object.values(secrets).some((secret) => bytes.includes(secret))) found.push(name);
  }
  expect(found).toEqual([]);
}, 60_000);

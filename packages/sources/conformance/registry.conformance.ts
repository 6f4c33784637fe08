import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeRegistry } from "../test/fake-registry.ts";
import { startFakeStore, storeLogin } from "../test/fake-store.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { zipOf } from "../test/zip-file.ts";

/* One registry, one configuration, the real terraform and ours: the same requests, and the same files byte by byte. */

const millwright = fileURLToPath(new URL("../../cli/bin/millwright", import.meta.url));
const found = spawnSync("terraform", ["version"], { env: { ...process.env, CHECKPOINT_DISABLE: "1" } }).status === 0;
const programs = { real: ["terraform"], ours: [millwright, "terraform"] } as const;

let registry: FakeRegistry;
let place: TemporaryFolder;
let settings: string;

beforeAll(async () => {
  registry = await FakeRegistry.start({
    providers: [{ name: "acme/thing", versions: ["1.0.0", "1.1.0", "2.0.0-beta1"] }],
    modules: [
      {
        name: "acme/net/aws",
        versions: {
          "1.0.0": { "main.tf": 'module "s" {\n  source = "./modules/s"\n}\n', "modules/s/main.tf": "" },
          "1.1.0": { "main.tf": "" },
        },
      },
    ],
  });
  place = new TemporaryFolder({ "authority.pem": registry.certificate });
  settings = `provider_installation {\n  network_mirror {\n    url = "https://${registry.host}/mirror/"\n  }\n}\n`;
  place.write("mirror.tfrc", settings);
  place.write("empty.tfrc", "");
});

afterAll(async () => {
  place.remove();
  await registry.close();
});

const configuration = () => `terraform {
  required_providers {
    thing = {
      source  = "${registry.host}/acme/thing"
      version = "~> 1.0"
    }
  }
}
module "net" {
  source  = "${registry.host}/acme/net/aws"
  version = "~> 1.0.0"
}
module "part" {
  source  = "${registry.host}/acme/net/aws//modules/s"
  version = "1.0.0"
}
`;

// Terraform cannot ask a mirror for a host with a port.
const mirrored = `terraform {
  required_providers {
    thing = {
      source = "example.com/acme/thing"
    }
  }
}
module "beside" {
  source = "./beside"
}
`;

/** Runs lines in a folder of its own; gives what was asked of the registry, and what is in the folder's files. */
async function play(
  which: keyof typeof programs,
  lines: readonly string[],
  { file, text }: { readonly file: string; readonly text: string } = { file: "empty.tfrc", text: configuration() },
) {
  const folder = new TemporaryFolder({ "main.tf": text, "beside/main.tf": "" });
  const from = registry.log.length;
  try {
    for (const line of lines) await run(programs[which], line.split(" "), folder, file);
    // Terraform asks for the head of a file before the file.
    const asked = registry.log.slice(from).filter((request) => !request.startsWith("HEAD"));
    const read = (name: string) => readFileSync(folder.at(name), "utf8");
    return { asked, lock: read(".terraform.lock.hcl"), modules: read(".terraform/modules/modules.json") };
  } finally {
    folder.remove();
  }
}

async function run(program: readonly string[], args: readonly string[], folder: TemporaryFolder, file: string) {
  const [command = "", ...before] = program;
  const env = {
    ...process.env,
    CHECKPOINT_DISABLE: "1",
    SSL_CERT_FILE: place.at("authority.pem"),
    SSL_CERT_DIR: "",
    TF_CLI_CONFIG_FILE: place.at(file),
  };
  const child = spawn(command, [...before, ...args], { cwd: folder.path, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (piece: Buffer) => (said += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  expect({ command, args, code, said: code === 0 ? "" : said }).toEqual({ command, args, code: 0, said: "" });
}

describe.runIf(found)("what the real terraform does with a registry, ours does too", () => {
  test("init: the same requests, lock file and list of modules", async () => {
    const [real, ours] = [await play("real", ["init"]), await play("ours", ["init"])];
    expect(ours.lock).toBe(real.lock);
    expect(ours.modules).toBe(real.modules);
    expect(ours.asked).toEqual(real.asked);
  });

  test("init from a network mirror: the same requests and lock file", async () => {
    const mirror = { file: "mirror.tfrc", text: mirrored };
    const [real, ours] = [await play("real", ["init"], mirror), await play("ours", ["init"], mirror)];
    expect(ours.lock).toBe(real.lock);
    expect(ours.modules).toBe(real.modules);
    expect(ours.asked).toEqual(real.asked);
  });

  test("providers lock for other platforms: the same lock file, and no request that the real one does not make", async () => {
    const lines = ["init", "providers lock -platform=linux_arm64 -platform=darwin_arm64"];
    const [real, ours] = [await play("real", lines), await play("ours", lines)];
    expect(ours.lock).toBe(real.lock);
    expect(ours.asked.filter((request) => !real.asked.includes(request))).toEqual([]);
    expect(ours.asked.length).toBeLessThanOrEqual(real.asked.length);
  });

  test("what one has locked and installed, the other takes as it is", async () => {
    for (const [first, second] of [
      ["real", "ours"],
      ["ours", "real"],
    ] as const) {
      const folder = new TemporaryFolder({ "main.tf": configuration() });
      try {
        await run(programs[first], ["init"], folder, "empty.tfrc");
        const lock = readFileSync(folder.at(".terraform.lock.hcl"), "utf8");
        await run(programs[second], ["init", "-lockfile=readonly"], folder, "empty.tfrc");
        expect(readFileSync(folder.at(".terraform.lock.hcl"), "utf8")).toBe(lock);
      } finally {
        folder.remove();
      }
    }
  });

  test("modules of repositories, archives and S3: the same list of modules, and the same files", async () => {
    const store = await startFakeStore();
    const repositories = new TemporaryFolder({ "hg/main.tf": "# first\n", "git/a/main.tf": "# a\n" });
    const packed = zipOf({ "main.tf": "# packed\n", "part-1/main.tf": "# part\n" }, 0o644);
    store.objects.set("mods/net.zip", packed);
    store.objects.set("mods/net/s/main.tf", Buffer.from("# object\n"));
    repositories.write("net.zip", packed);
    const make = (name: string, ...lines: readonly (readonly string[])[]) => {
      for (const [program = "", ...args] of lines) {
        const env = { ...process.env, HGUSER: "me", HGRCPATH: "" };
        const { status, stderr } = spawnSync(program, args, { cwd: repositories.at(name), encoding: "utf8", env });
        expect({ program, args, status, stderr }).toMatchObject({ status: 0 });
      }
    };
    make("hg", ["hg", "init"], ["hg", "commit", "--addremove", "-q", "-m", "one"], ["hg", "tag", "v1"]);
    const me = ["-c", "user.name=me", "-c", "user.email=me@example.com"];
    make("git", ["git", "init", "-q"], ["git", "add", "."], ["git", ...me, "commit", "-qm", "one"]);
    // Of stores beside Amazon's own, Terraform takes only those whose login stands in the address.
    const login = `region=${storeLogin.region}&aws_access_key_id=${storeLogin.accessKeyId}&aws_access_key_secret=a%20secret`;
    const sources = [
      `hg::${repositories.at("hg")}?rev=v1`,
      `git::${repositories.at("git")}//[ab]`,
      `${repositories.at("net.zip")}//part-*`,
      `s3::http://${store.host}/mods/net.zip?${login}`,
      `s3::http://${store.host}/mods/net//s?${login}`,
    ];
    const text = sources.map((source, i) => `module "m${i}" {\n  source = ${JSON.stringify(source)}\n}\n`).join("");
    const played = async (which: keyof typeof programs) => {
      const folder = new TemporaryFolder({ "main.tf": text });
      try {
        await run(programs[which], ["get"], folder, "empty.tfrc");
        const modules = readFileSync(folder.at(".terraform/modules/modules.json"), "utf8");
        const folders = (JSON.parse(modules) as { readonly Modules: readonly { readonly Dir: string }[] }).Modules;
        return { modules, texts: folders.map(({ Dir }) => readFileSync(folder.at(`${Dir}/main.tf`), "utf8")) };
      } finally {
        folder.remove();
      }
    };
    try {
      const [real, ours] = [await played("real"), await played("ours")];
      expect(ours).toEqual(real);
      expect(real.texts.slice(1)).toEqual(["# first\n", "# a\n", "# part\n", "# packed\n", "# object\n"]);
    } finally {
      repositories.remove();
      await store.close();
    }
  });
});

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type FakeStore, startFakeStore, storeLogin } from "../test/fake-store.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { zipOf } from "../test/zip-file.ts";
import { fetchModulePackage } from "./fetch-module.ts";
import { SourceHttp } from "./http.ts";
import { parseRemoteSource } from "./module-source.ts";

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function folder(files: Readonly<Record<string, string>> = {}): TemporaryFolder {
  const made = new TemporaryFolder(files);
  ends.push(() => made.remove());
  return made;
}

async function store(objects: Readonly<Record<string, Buffer | string>>): Promise<FakeStore> {
  const started = await startFakeStore();
  ends.push(() => started.close());
  for (const [name, bytes] of Object.entries(objects)) started.objects.set(name, Buffer.from(bytes));
  return started;
}

/** Fetches a source into a new folder; gives what it holds. */
async function fetched(source: string, env: Readonly<Record<string, string>> = {}) {
  const parsed = parseRemoteSource(source);
  if (parsed.kind === "bad") throw new Error(parsed.reason);
  const into = folder();
  const settings = { PATH: process.env["PATH"], HOME: into.path, TF_REGISTRY_DISCOVERY_RETRY: "0", ...env };
  const http = new SourceHttp({ env: settings, signal: new AbortController().signal });
  const meant = await fetchModulePackage(parsed, into.at("module"), http);
  return (name: string) => (existsSync(join(meant, name)) ? readFileSync(join(meant, name), "utf8") : undefined);
}

const login = { AWS_ACCESS_KEY_ID: storeLogin.accessKeyId, AWS_SECRET_ACCESS_KEY: storeLogin.secretAccessKey };
const inAddress = `aws_access_key_id=${storeLogin.accessKeyId}&aws_access_key_secret=${encodeURIComponent(storeLogin.secretAccessKey)}`;
const packed = zipOf({ "main.tf": "# packed\n", "net-1.0/main.tf": "# inner\n" }, 0o644);

describe("a module in S3", () => {
  test("is an archive, asked for with the login of the environment", async () => {
    const { host } = await store({ "mods/net.zip": packed });
    expect((await fetched(`s3::http://${host}/mods/net.zip?region=eu-west-1`, login))("main.tf")).toBe("# packed\n");
  });

  test("is asked for with the login of its address, at a version, in a part that a pattern names", async () => {
    const { host, asked } = await store({ "mods/a b/net": packed });
    const source = `s3::http://${host}/mods/a%20b/net//net-*?archive=zip&version=v7&region=eu-west-1&${inAddress}`;
    expect((await fetched(source))("main.tf")).toBe("# inner\n");
    expect(asked).toEqual(["GET /mods/a%20b/net?versionId=v7"]);
  });

  test("is asked for with a profile of the shared files", async () => {
    const { host } = await store({ "mods/net.zip": packed });
    const home = folder({
      credentials: `[other]\naws_access_key_id = ${storeLogin.accessKeyId}\naws_secret_access_key = ${storeLogin.secretAccessKey}\n`,
    });
    const env = { AWS_SHARED_CREDENTIALS_FILE: home.at("credentials") };
    const source = `s3::http://${host}/mods/net.zip?region=eu-west-1&aws_profile=other`;
    expect((await fetched(source, env))("main.tf")).toBe("# packed\n");
  });

  test("is all that is below a name that is no archive's", async () => {
    const { host } = await store({
      "mods/net/main.tf": "# a\n",
      "mods/net/s/": "",
      "mods/net/s/b&c.tf": "# b\n",
      "mods/net/z.tf": "# z\n",
      "mods/network/main.tf": "# another\n",
    });
    const holds = await fetched(`s3::http://${host}/mods/net?region=eu-west-1`, login);
    expect([holds("main.tf"), holds("s/b&c.tf"), holds("z.tf")]).toEqual(["# a\n", "# b\n", "# z\n"]);
  });

  test.each([
    { form: "s3::https://s3-eu-west-1.amazonaws.com/mods/net.zip" },
    { form: "s3::https://s3.eu-west-1.amazonaws.com/mods/net.zip" },
    { form: "s3::https://mods.s3.eu-west-1.amazonaws.com/net.zip" },
    { form: "mods.s3-eu-west-1.amazonaws.com/net.zip" },
  ])("has its bucket and region in the address: $form", async ({ form }) => {
    const { host, asked } = await store({ "mods/net.zip": packed });
    const env = { ...login, AWS_ENDPOINT_URL_S3: `http://${host}` };
    expect((await fetched(form, env))("main.tf")).toBe("# packed\n");
    expect(asked).toEqual(["GET /mods/net.zip"]);
  });

  test("does not come without a login, with a wrong one, from an address that names none, and where nothing is", async () => {
    const { host } = await store({ "mods/net.zip": packed });
    const at = (rest: string) => `s3::http://${host}/${rest}`;
    await expect(fetched(at("mods/net.zip"))).rejects.toThrow(
      "No credentials for AWS were found. Set AWS_ACCESS_KEY_ID",
    );
    const wrong = { ...login, AWS_SECRET_ACCESS_KEY: "another" };
    await expect(fetched(at("mods/net.zip?region=eu-west-1"), wrong)).rejects.toThrow(
      "s3://mods/net.zip was refused: " + `${host} answered 403 (SignatureDoesNotMatch: it is other)`,
    );
    await expect(fetched(at("mods"), login)).rejects.toThrow("names no object of a bucket");
    await expect(fetched(at("mods/none.zip?region=eu-west-1"), login)).rejects.toThrow(
      "there is no s3://mods/none.zip",
    );
    await expect(fetched(at("mods/none?region=eu-west-1"), login)).rejects.toThrow("there are no objects below");
  });
});

describe("a module in Google Cloud Storage", () => {
  const at = (rest: string) => `gcs::https://www.googleapis.com/storage/v1/mods/${rest}`;

  test("is an archive, or all that is below a name", async () => {
    const { host, asked } = await store({
      "mods/a/net.zip": packed,
      "mods/net/main.tf": "# a\n",
      "mods/net/s/b.tf": "# b\n",
      "mods/net/z.tf": "# z\n",
    });
    const env = { STORAGE_EMULATOR_HOST: host };
    expect((await fetched(`${at("a/net.zip")}#17`, env))("main.tf")).toBe("# packed\n");
    expect(asked).toEqual(["GET /storage/v1/b/mods/o/a%2Fnet.zip?alt=media&generation=17"]);
    const holds = await fetched(at("net"), env);
    expect([holds("main.tf"), holds("s/b.tf"), holds("z.tf")]).toEqual(["# a\n", "# b\n", "# z\n"]);
  });

  test("does not come without a token", async () => {
    await expect(fetched(at("net.zip"))).rejects.toThrow("Set GOOGLE_OAUTH_ACCESS_TOKEN");
  });
});

describe("a module in a Mercurial repository", () => {
  function repository(files: Readonly<Record<string, string>>, change: (path: string) => void = () => undefined) {
    const made = folder(files);
    const hg = (...args: readonly string[]) => {
      const { status, stderr } = spawnSync("hg", [...args], {
        cwd: made.path,
        encoding: "utf8",
        env: { ...process.env, HGUSER: "test", HGRCPATH: "" },
      });
      if (status !== 0) throw new Error(stderr);
    };
    hg("init");
    hg("commit", "--addremove", "--quiet", "--message", "first");
    hg("tag", "v1");
    made.write("main.tf", "# later\n");
    change(made.path);
    hg("commit", "--addremove", "--quiet", "--message", "second");
    return made.path;
  }

  test("is its newest revision, or the one that is asked for", async () => {
    const path = repository({ "main.tf": "# first\n", "s/main.tf": "# s\n" });
    expect((await fetched(`hg::file://${path}`))("main.tf")).toBe("# later\n");
    expect((await fetched(`hg::${path}?rev=v1`))("main.tf")).toBe("# first\n");
    expect((await fetched(`hg::${path}//s?ref=v1`))("main.tf")).toBe("# s\n");
  });

  test("is asked for with the login of its address, which is in no argument and stays nowhere", async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ends.push(() => void server.close());
    ends.push(() => server.closeAllConnections());
    const { port } = server.address() as AddressInfo;
    const source = `hg::http://me:pass%20word@127.0.0.1:${port}/net`;
    const failed = await fetched(source).catch((error: Error) => error.message);
    expect(failed).toMatch(/^hg ended with 255: /);
    expect(failed).not.toMatch(/pass|me:/);
    expect(asked.at(-1)).toBe(`Basic ${Buffer.from("me:pass word").toString("base64")}`);
  });

  test("does not come where hg or the revision is missing, or where a link leads outside", async () => {
    const path = repository({ "main.tf": "" });
    await expect(fetched(`hg::${path}?rev=none`)).rejects.toThrow(/hg ended with 255: .*none/);
    await expect(fetched(`hg::${path}?rev=--config=x`)).rejects.toThrow("is no revision");
    await expect(fetched(`hg::${path}`, { PATH: "/nonexistent" })).rejects.toThrow("apt-get install mercurial");
    const linked = repository({ "main.tf": "" }, (at) => symlinkSync("/etc/passwd", join(at, "secrets.txt")));
    await expect(fetched(`hg::${linked}`)).rejects.toThrow("link secrets.txt leads outside");
  });
});

describe("a module on this machine", () => {
  test("is a folder or an archive, which has its checksum, also one that a file says", async () => {
    const made = folder({ "net/main.tf": "# a\n" });
    writeFileSync(made.at("net.zip"), packed);
    writeFileSync(made.at("odd"), packed);
    expect((await fetched(made.at("net")))("main.tf")).toBe("# a\n");
    expect((await fetched(`${made.at("odd")}?archive=zip`))("main.tf")).toBe("# packed\n");
    const wrong = `${made.at("net.zip")}?checksum=md5:${"0".repeat(32)}`;
    await expect(fetched(wrong)).rejects.toThrow("another md5 checksum");
    const sum = spawnSync("sha256sum", ["net.zip"], { cwd: made.path, encoding: "utf8" }).stdout;
    made.write("SUMS", sum);
    expect((await fetched(`${made.at("net.zip")}?checksum=file:./SUMS`))("main.tf")).toBe("# packed\n");
  });

  test("may be one folder of it that a pattern names", async () => {
    const made = folder({ "a-1/net/main.tf": "# net\n", "b-1/main.tf": "", "b-2/main.tf": "" });
    mkdirSync(made.at(".a-1/net"), { recursive: true });
    expect((await fetched(`${made.path}//*/net`))("main.tf")).toBe("# net\n");
    expect((await fetched(`${made.path}//a-[0-9]/n*`))("main.tf")).toBe("# net\n");
    await expect(fetched(`${made.path}//b-*`)).rejects.toThrow("2 folders of the package are b-*");
    await expect(fetched(`${made.path}//c*`)).rejects.toThrow("no folder c*");
  });
});

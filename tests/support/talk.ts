import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeImageArchive } from "@millwright/agent/image-archive";
import { programFiles } from "@millwright/agent/program-files";
import { packTar } from "modern-tar";
import { type Outcome, root } from "./commands.ts";
import { type Host, type Hosts, makeHosts, outcomeOf, saying } from "./hosts.ts";

/**
 * A node with the region and a datacenter of the talk's job files, in a network of its own: a server, an agent, a container engine, and
 * stand-ins for what the files reach for: the object store of the artifacts, and the image of a registry.
 */
export class Talk {
  readonly #network: Hosts;
  readonly #host: Host;
  readonly #folder = mkdtempSync(join(tmpdir(), "talk-"));
  readonly #running: ChildProcess[] = [];

  private constructor(network: Hosts) {
    this.#network = network;
    this.#host = network.hosts[0]!;
  }

  /** Takes root, and the programs `ip`, `dockerd` and `busybox` (Debian: iproute2, docker.io, busybox-static). */
  static async start(): Promise<Talk> {
    const talk = new Talk(await makeHosts(1));
    try {
      await talk.#start();
      return talk;
    } catch (error) {
      await talk.close();
      throw error;
    }
  }

  /** Types a line, with the tools of the talk on the PATH. */
  async typed(line: string): Promise<Outcome> {
    const token = readFileSync(join(this.#folder, "seal", "root-token"), "utf8").trim();
    const env = { ...this.#environment(), VAULT_ADDR: "http://127.0.0.1:8200", VAULT_TOKEN: token };
    return outcomeOf(this.#host.spawnAmongMounts("/bin/sh", ["-c", line], { cwd: this.#folder, env }));
  }

  /** Puts one of the talk's files into the folder where lines are typed. */
  use(name: string, change: (text: string) => string = (text) => text): void {
    const file = join(root, "packages/jobs/testdata/incrementalism", name);
    writeFileSync(join(this.#folder, name), change(readFileSync(file, "utf8")));
  }

  /** How many healthy instances discovery has of a service, with a tag. */
  async healthy(service: string, tag: string): Promise<number> {
    const url = `http://127.0.0.1:8500/v1/health/service/${service}?passing&tag=${tag}`;
    const script = `fetch("${url}").then((answer) => answer.json()).then((list) => console.log(list.length))`;
    return Number((await this.typed(`${process.execPath} -e '${script}'`)).out);
  }

  async close(): Promise<void> {
    for (const child of this.#running.reverse()) {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    }
    await this.#network.close();
    // The engine leaves the network of its containers mounted.
    spawnSync("umount", ["--lazy", join(this.#folder, "docker/exec/netns/default")]);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  async #start(): Promise<void> {
    const inFolder = (name: string) => join(this.#folder, name);
    const millwright = join(root, "packages/cli/bin/millwright");
    mkdirSync(inFolder("bin"));
    for (const name of ["nomad", "vault", "consul"]) symlinkSync(millwright, join(inFolder("bin"), name));
    await this.#startEngine();
    await this.#startStore();
    const data = [`-data-dir=${inFolder("server")}`, `-dev-seal-dir=${inFolder("seal")}`];
    await this.#run(millwright, ["server", ...data, "-http-port=8300", "-dns-port=-1", "-region=apac", "-node=server"]);
    writeFileSync(inFolder("client.hcl"), clientConfiguration(this.#folder));
    await this.#run(millwright, [
      ...["agent", `-data-dir=${inFolder("agent")}`, "-advertise=127.0.0.1", "-stop-tasks"],
      ...["-join=127.0.0.1:8300", `-join-token-file=${inFolder("server/join-token")}`],
      ...["-nomad-servers=127.0.0.1:4646", "-nomad-port=0", `-config=${inFolder("client.hcl")}`],
      "-vault-address=http://127.0.0.1:8200",
    ]);
  }

  async #run(program: string, args: readonly string[], said = "Stop it with ^C."): Promise<void> {
    const options = { cwd: this.#folder, env: this.#environment() };
    const child = this.#host.spawnAmongMounts(program, args, options);
    this.#running.push(child);
    await saying(child, said);
  }

  #environment(): NodeJS.ProcessEnv {
    const path = `${join(this.#folder, "bin")}:${process.env.PATH}:/usr/sbin:/sbin`;
    return { ...process.env, PATH: path, HOME: this.#folder, XDG_STATE_HOME: join(this.#folder, "state") };
  }

  async #startEngine(): Promise<void> {
    const folder = this.#folder;
    writeFileSync(join(folder, "docker.json"), "{}");
    await this.#run(
      "dockerd",
      [
        ...[`--data-root=${folder}/docker/data`, `--exec-root=${folder}/docker/exec`],
        ...[`--pidfile=${folder}/docker.pid`, `--config-file=${folder}/docker.json`],
        ...["--iptables=false", "--ip6tables=false", "--ip-masq=false", `--host=unix://${folder}/docker.sock`],
      ],
      "API listen on",
    );
    // What a registry would send.
    const redis = await this.#image("redis:latest", ["/bin/httpd", "-f", "-p", "6379"]);
    const load = ["-H", `unix://${folder}/docker.sock`, "load", "-i", redis];
    await this.#run("docker", load, "Loaded image: redis:latest");
  }

  /** What the talk keeps in an object store. */
  async #startStore(): Promise<void> {
    const archive = readFileSync(await this.#image("myorg/myapp:latest", ["/sbin/start_myapp"]));
    const entry = { header: { name: "myapp.tar", size: archive.length, type: "file" as const }, body: archive };
    writeFileSync(join(this.#folder, "myapp.tar.gz"), gzipSync(await packTar([entry])));
    const script = `require("node:http").createServer((request, response) => {
      if (!/^\\/myorg\\/myapp(-v12[34])?\\.tar\\.gz$/.test(request.url)) return response.writeHead(404).end();
      require("node:fs").createReadStream("myapp.tar.gz").pipe(response);
    }).listen(9000, "127.0.0.1", () => console.log("ready"))`;
    await this.#run(process.execPath, ["-e", script], "ready");
  }

  async #image(name: string, command: readonly string[]): Promise<string> {
    const links = ["sh", "httpd", "mkdir", "echo"].map((one) => [`/bin/${one}`, { link: "busybox" }] as const);
    return makeImageArchive({
      name,
      path: join(this.#folder, `${name.replaceAll(/[:/]/g, "-")}.tar`),
      command,
      files: {
        ...(await programFiles("/bin/busybox", "/bin/busybox")),
        ...Object.fromEntries(links),
        "/sbin/start_myapp": { text: startMyapp, mode: 0o755 },
      },
    });
  }
}

/** The talk's program: a shell script that serves its health where it is told to. */
const startMyapp = `#!/bin/sh
mkdir -p /www && echo "$1" >/www/index.html && echo ok >/www/health.txt
case $1 in
  -mode=api) exec httpd -f -p "$NOMAD_ADDR_api" -h /www ;;
  -mode=web) exec httpd -f -p "$NOMAD_ADDR_web" -h /www ;;
esac
`;

const clientConfiguration = (folder: string) => `
region     = "apac"
datacenter = "asia-east1"
client {
  enabled           = true
  cpu_total_compute = 60000
  memory_total_mb   = 30000
}
plugin "docker" {
  config {
    endpoint = "unix://${folder}/docker.sock"
  }
}
artifact {
  mirror {
    "https://s3.amazonaws.com" = "http://127.0.0.1:9000"
  }
}
`;

/** The job's modify index in the output of a plan. */
export function indexIn(text: string): string | undefined {
  return /Job Modify Index: (\d+)/.exec(text)?.[1];
}

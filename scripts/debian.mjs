// The Debian packages that tests use as real parts: installed where this is root, else named in a line to type.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** One entry a package: its name, and a program of it that must be there. */
const packages = [
  { name: "etcd-server", program: "etcd" },
  { name: "postgresql-client", program: "psql" },
  { name: "bind9-dnsutils", program: "dig" },
  { name: "iproute2", program: "ip" },
  { name: "docker.io", program: "dockerd" },
  { name: "busybox-static", program: "busybox" },
  { name: "xz-utils", program: "xz" },
  { name: "bzip2", program: "bzip2" },
  { name: "git", program: "git" },
  { name: "mercurial", program: "hg" },
  { name: "openssh-server", program: "sshd" },
  { name: "openssh-client", program: "ssh-keygen" },
];

function isInstalled(program) {
  return (process.env.PATH ?? "")
    .split(":")
    .concat("/usr/bin", "/usr/sbin")
    .some((folder) => existsSync(`${folder}/${program}`));
}

/** Sees to it that all packages are there, or ends with the line that installs them. */
export function ensureDebianPackages() {
  const missing = packages.filter(({ program }) => !isInstalled(program)).map(({ name }) => name);
  if (missing.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) {
    console.error(
      `The tests use real parts that are not installed here. As root, run:\n\n  apt-get update && ${line}\n`,
    );
    process.exit(1);
  }
  console.error(`Installing Debian packages for the tests: ${missing.join(", ")} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const update = spawnSync("apt-get", ["update", "-q"], { stdio: ["ignore", "ignore", "inherit"], env });
  // A package's own service is not to be started: tests start what they need themselves.
  const install = spawnSync("apt-get", line.split(" ").slice(1), {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...env, RUNLEVEL: "1", SYSTEMD_OFFLINE: "1" },
  });
  if (update.status !== 0 || install.status !== 0 || packages.some(({ program }) => !isInstalled(program))) {
    console.error(`That failed. Install them by hand:\n\n  apt-get update && ${line}\n`);
    process.exit(1);
  }
}

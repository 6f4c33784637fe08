import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/* A server whose discovery keeps its data on a disk that is full, a tmpfs in a mount namespace of its own: the secrets have
   a store of their own on another disk. */

const program = fileURLToPath(new URL("../bin/millwright", import.meta.url));

const script = `
mkdir full secrets state && mount -t tmpfs -o size=1m tmpfs full || exit 77
"$PROGRAM" server -data-dir="$PWD/full" -secrets-data-dir="$PWD/secrets" -dev-seal-dir="$PWD/state" \\
  -http-port=0 -log-level=warn >out 2>err &
server=$!
until grep -q 'Stop it with' out || ! kill -0 $server; do sleep 0.1; done
export CONSUL_HTTP_ADDR=$(sed -n 's/.*Consul HTTP API *//p' out)
export VAULT_ADDR=$(sed -n 's/.*Vault HTTP API *\\([^ ]*\\).*/\\1/p' out) VAULT_TOKEN=$(cat state/root-token)
"$PROGRAM" vault secrets enable -version=2 kv >/dev/null
"$PROGRAM" consul kv put acknowledged first >/dev/null
n=0
while head -c 60000 /dev/urandom | base64 -w0 | "$PROGRAM" consul kv put "fill/$n" - >/dev/null 2>refusal; do
  n=$((n + 1)); [ $n -lt 60 ] || break
done
echo "discovery refuses: $(cat refusal)"
"$PROGRAM" vault kv put kv/app a=b >/dev/null; echo "secret written: $?"
echo "secret read: $("$PROGRAM" vault kv get -field=a kv/app)"
echo "lease: $("$PROGRAM" vault token create -policy=default -ttl=1h -field=token_renewable)"
echo "discovery reads: $("$PROGRAM" consul kv get acknowledged)"
mount -o remount,size=20m "$PWD/full"
sleep 1
echo "after room was made: $("$PROGRAM" consul kv put again again)"
kill $server; wait $server
cat err >&2
`;

test("with the discovery's disk full, secrets are still written and read, and nothing acknowledged is lost", () => {
  const folder = mkdtempSync(join(tmpdir(), "separate-stores-"));
  try {
    const flags = process.getuid?.() === 0 ? ["-m"] : ["-rm"];
    const { stdout, stderr, status } = spawnSync("unshare", [...flags, "sh", "-c", script], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PROGRAM: program, HOME: folder },
    });
    if (status === 77 || stdout === "")
      throw new Error(`A tmpfs cannot be mounted (${stderr.trim()}). Run this as root, or allow user namespaces.`);
    expect(stdout, stderr).toMatch(/discovery refuses: .*500/);
    expect(stdout).toContain("secret written: 0\nsecret read: b\nlease: true\n");
    expect(stdout).toContain("discovery reads: first");
    expect(stdout).toContain("after room was made: Success!");
    expect(stderr).not.toMatch(/bug in Millwright|\n\s+at /);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

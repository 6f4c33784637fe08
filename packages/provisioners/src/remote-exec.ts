import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { type Connection, readConnection } from "./connection.ts";
import { provisionerErrors } from "./errors.ts";
import { isGiven, text, texts } from "./plain.ts";
import type { Provisioner, ProvisionerCall } from "./provisioner.ts";
import { blockOf } from "./schema.ts";
import { Remote } from "./ssh.ts";
import { putScript, removeFile } from "./upload.ts";

/** Runs lines or scripts on another machine. */
export const remoteExec: Provisioner = {
  schema: blockOf({ inline: "texts", script: "text", scripts: "texts" }),
  connects: true,
  validate: (config) => {
    const given = ["inline", "script", "scripts"].filter((name) => isGiven(config, name));
    if (given.length > 1) return [`Only one of "inline", "script", or "scripts" must be set`];
    return given.length === 0 ? [`One of "inline", "script", or "scripts" must be set`] : [];
  },
  run: runRemotely,
};

async function runRemotely(call: ProvisionerCall): Promise<void> {
  const { connection, clock, signal, env, output } = call;
  const login = readConnection(connection);
  if (typeof login === "string") throw new OperationalError(provisionerErrors.misconfigured, `remote-exec: ${login}`);
  const scripts = scriptsOf(call);
  output(`Connecting to remote host via SSH...`);
  output(`  Host: ${login.host}`);
  output(`  User: ${login.user}`);
  output(`  Password: ${login.password !== undefined}`);
  output(`  Private key: ${login.privateKey !== undefined}`);
  output(`  SSH Agent: ${login.agent && env.SSH_AUTH_SOCK !== undefined}`);
  output(`  Checking Host Key: ${login.hostKey !== undefined}`);
  if (login.proxy) {
    output("Using configured proxy host...");
    output(`  ProxyHost: ${login.proxy.host}`);
    output(`  ProxyPort: ${login.proxy.port}`);
    output(`  ProxyUserName: ${login.proxy.user ?? ""}`);
    output(`  ProxyUserPassword: ${login.proxy.password !== undefined}`);
  }
  const remote = await Remote.open(login, { clock, signal, env });
  output("Connected!");
  try {
    for (const script of scripts) await runScript(remote, script, login, call);
  } finally {
    remote.close();
  }
}

function scriptsOf({ config, folder }: ProvisionerCall): readonly Uint8Array[] {
  const inline = texts(config, "inline");
  if (inline) return [Buffer.from(`${["#!/bin/sh", ...inline].join("\n")}\n`)];
  const script = text(config, "script");
  const paths = script === undefined ? (texts(config, "scripts") ?? []) : [script];
  return paths.map((path) => {
    try {
      return readFileSync(resolve(folder, path));
    } catch (error) {
      const why = `remote-exec: the script ${path} cannot be read: ${messageOf(error)}`;
      throw new OperationalError(provisionerErrors.misconfigured, why, { cause: error });
    }
  });
}

async function runScript(remote: Remote, script: Uint8Array, login: Connection, call: ProvisionerCall): Promise<void> {
  const path = login.scriptPath.replaceAll("%RAND%", String(randomInt(2 ** 31)));
  const files = await remote.files();
  await putScript(files, path, script);
  let ended: number | string;
  try {
    ended = await remote.run(quoted(path), call.output, call.signal);
  } finally {
    await removeFile(files, path);
  }
  if (ended === 0) return;
  const how = typeof ended === "number" ? `Process exited with status ${ended}` : `Process ended by ${ended}`;
  throw new OperationalError(provisionerErrors.failed, `error executing "${path}": ${how}`);
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

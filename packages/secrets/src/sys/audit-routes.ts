import { OperationalError } from "@millwright/core/errors";
import type { EngineReply } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { GuardedCall, Route } from "../http/route.ts";
import { refusal } from "../replies.ts";

const policy = { kind: "policy" } as const;
const sudo = { kind: "sudo" } as const;

/** The audit devices. */
export function auditRoutes(): readonly Route[] {
  return [
    { method: "GET", pattern: "/v1/sys/audit", permission: sudo, onTop: true, handle: list },
    { method: "POST", pattern: "/v1/sys/audit/*path", permission: sudo, onTop: true, handle: enable },
    { method: "DELETE", pattern: "/v1/sys/audit/*path", permission: sudo, onTop: true, handle: disable },
    { method: "POST", pattern: "/v1/sys/audit-hash/*path", permission: policy, onTop: true, handle: hash },
  ];
}

async function list({ core }: GuardedCall): Promise<EngineReply> {
  const shown = core.audit.devices.map(({ path, type, description, options }) => {
    return [path, { path, type, description, options, local: false }];
  });
  return { kind: "data", data: Object.fromEntries(shown) };
}

async function enable({ core, fields, params }: GuardedCall): Promise<EngineReply> {
  const type = fields.text("type") ?? "";
  if (type !== "file")
    return refusal(400, `unknown backend type: ${JSON.stringify(type)}: audit devices are of type "file"`);
  const options = optionsOf(fields.textMap("options") ?? {});
  await core.audit.enable({ path: deviceOf(params), type, description: fields.text("description") ?? "", options });
  return { kind: "done" };
}

async function disable({ core, params }: GuardedCall): Promise<EngineReply> {
  await core.audit.disable(deviceOf(params));
  return { kind: "done" };
}

async function hash({ core, fields, params }: GuardedCall): Promise<EngineReply> {
  const input = fields.text("input") ?? "";
  if (input === "") return refusal(400, 'the "input" parameter is empty');
  return { kind: "data", data: { hash: core.audit.hash(deviceOf(params), input) } };
}

function optionsOf(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { path, ...rest } = given;
  const options = path === undefined ? rest : { file_path: path, ...rest };
  if (!options["file_path"]) throw badRequest("file_path is required: where the audit is written to");
  if (options["mode"] !== undefined && !/^0?[0-7]{1,4}$/.test(options["mode"]))
    throw badRequest(`the mode of the file is octal digits such as 0600, not ${JSON.stringify(options["mode"])}`);
  // What is written there comes from clients: nobody shall be led to run it.
  if ((Number.parseInt(options["mode"] ?? "0", 8) & 0o111) !== 0)
    throw badRequest("the mode of the file must not let anybody run it: 0600, or 0640 for a group to read it");
  if ((options["format"] ?? "json") !== "json") throw badRequest("the format of an audit file is json");
  for (const name of ["log_raw", "hmac_accessor"])
    if (!["true", "false"].includes(options[name] ?? "true")) throw badRequest(`${name} is true or false`);
  const known = ["file_path", "mode", "format", "log_raw", "hmac_accessor", "prefix"];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw badRequest(`an audit file has no option ${JSON.stringify(unknown)}`);
  return options;
}

function deviceOf(params: Readonly<Record<string, string>>): string {
  return `${params["path"] ?? ""}/`;
}

function badRequest(text: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, text);
}

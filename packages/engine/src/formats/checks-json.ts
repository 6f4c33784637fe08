import type { CheckGroup } from "../check/results.ts";
import { parseAddress } from "../parse-address.ts";

type Plain = Readonly<Record<string, unknown>>;

/** The results of conditions in the documented JSON formats of plans and states. */
export function checksJson(groups: readonly CheckGroup[]): Plain[] {
  return groups.map(({ kind, configAddress: display, status, instances }) => ({
    address: inOrder({ ...checkAddress(display, kind), to_display: display }),
    status,
    ...(instances.length > 0 ? { instances: instances.map((instance) => instanceJson(instance, kind)) } : {}),
  }));
}

function instanceJson({ instanceAddress, status, problems }: CheckGroup["instances"][number], kind: string): Plain {
  return {
    address: inOrder({ ...instancePlain(instanceAddress, kind), to_display: instanceAddress }),
    status,
    ...(problems.length > 0 ? { problems: problems.map((message) => ({ message })) } : {}),
  };
}

// Terraform has the properties of these by name.
function inOrder(plain: Plain): Plain {
  return Object.fromEntries(Object.entries(plain).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkAddress(display: string, kind: string): Plain {
  if (kind !== "resource") {
    return { kind, name: display.slice(display.lastIndexOf(".") + 1), ...modulePlain(moduleOfNamed(display)) };
  }
  const parsed = parseAddress(display);
  if (parsed?.kind !== "instance") return { kind };
  const { mode, name, type } = parsed.address.resource;
  return { kind, mode, name, type, ...modulePlain(parsed.address.module.text) };
}

function instancePlain(address: string, kind: string): Plain {
  if (kind !== "resource") return modulePlain(moduleOfNamed(address));
  const parsed = parseAddress(address);
  if (parsed?.kind !== "instance") return {};
  const { module, key } = parsed.address;
  return { ...(key === undefined ? {} : { instance_key: key }), ...modulePlain(module.text) };
}

function modulePlain(text: string): Plain {
  return text === "" ? {} : { module: text };
}

/** The module of a variable's or an output's address, whose last two words are its own. */
function moduleOfNamed(address: string): string {
  return address.replace(/\.?[^.]+\.[^.]+$/, "");
}

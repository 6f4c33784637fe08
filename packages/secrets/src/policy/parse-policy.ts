import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Attribute, Block, Body, Expression } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { evaluateInto } from "@millwright/hcl/evaluate";
import { parseHcl1File } from "@millwright/hcl/hcl1";
import { parseHcl1JsonFile } from "@millwright/hcl/hcl1-json";
import { parseFile } from "@millwright/hcl/parse";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { elementsIn } from "@millwright/hcl/static-expression";
import { quote } from "@millwright/text/quote";
import { toPlain } from "@millwright/value/json";
import { isWhollyKnown } from "@millwright/value/value";
import { secondsOf } from "../request-fields.ts";
import { parsePathPattern } from "./path-pattern.ts";
import type { Capability, ParameterValues, PathRule, Policy } from "./policy.ts";
import { capabilities } from "./policy.ts";

/**
 * Reads a policy as Vault has it, in HCL 1, HCL 2 or JSON; ranges name the file `NAME.hcl`. What could be read is in the value.
 * Rights are only ever left out by a fault, never added.
 */
export function parsePolicy(name: string, text: string): Diagnosed<Policy> {
  const { value: body, diagnostics: said } = read(name, text);
  const diagnostics = [...said];
  const { value: content, diagnostics: unexpected } = contentOf(body, {
    attributes: [{ name: "name", required: false }],
    blocks: [{ type: "path", labelNames: ["path"] }],
  });
  diagnostics.push(...unexpected);
  const rules = content.blocks.flatMap((block) => readRule(block, diagnostics) ?? []);
  return { value: { name, rules }, diagnostics };
}

/** HCL 1 is the language of policies; what that cannot read is tried as HCL 2, which has another form or two for the same. */
function read(name: string, text: string): Diagnosed<Body> {
  const file = sourceFile(`${name}.hcl`, text);
  if (/^\s*\{/.test(file.text)) return withoutEmptyPaths(parseHcl1JsonFile(file));
  const policy = parseHcl1File(file);
  if (!hasErrors(policy.diagnostics)) return policy;
  const native = parseFile(file);
  return hasErrors(native.diagnostics) ? policy : native;
}

/** `{"path": {}}` is what programs write for a policy without rules. */
function withoutEmptyPaths({ value: body, diagnostics }: Diagnosed<Body>): Diagnosed<Body> {
  if (body.json?.kind !== "jsonObject") return { value: body, diagnostics };
  const properties = body.json.properties.filter(
    ({ name, value }) => name !== "path" || value.kind !== "jsonObject" || value.properties.length > 0,
  );
  return { value: { ...body, json: { ...body.json, properties } }, diagnostics };
}

const argumentNames = [
  "capabilities",
  "policy",
  "allowed_parameters",
  "denied_parameters",
  "required_parameters",
  "min_wrapping_ttl",
  "max_wrapping_ttl",
  "comment",
] as const;

function readRule(block: Block, diagnostics: Diagnostic[]): PathRule | undefined {
  const schema = { attributes: argumentNames.map((name) => ({ name, required: false })), blocks: [] };
  const { value: content, diagnostics: unexpected } = contentOf(block.body, schema);
  diagnostics.push(...unexpected);
  const [written] = block.labels;
  const parsed = parsePathPattern(written!);
  if (!parsed.ok) {
    diagnostics.push(errorDiagnostic("Invalid path", parsed.why, { subject: rangeOf(block.labelNodes[0]!) }));
    return undefined;
  }
  if (parsed.pattern.text.includes("*")) {
    const detail = `A star is a wildcard at the end of a path only; in ${quote(written!)} it stands for itself. Write + for one whole segment.`;
    diagnostics.push(warningDiagnostic("Star inside a path", detail, { subject: rangeOf(block.labelNodes[0]!) }));
  }
  const reader = new RuleReader(content.attributes, diagnostics);
  const rule: PathRule = {
    pattern: parsed.pattern,
    capabilities: reader.capabilities(),
    allowedParameters: reader.parameters("allowed_parameters"),
    deniedParameters: reader.parameters("denied_parameters"),
    requiredParameters: reader.texts("required_parameters").map(([text]) => text.toLowerCase()),
    minWrappingTtl: reader.seconds("min_wrapping_ttl"),
    maxWrappingTtl: reader.seconds("max_wrapping_ttl"),
  };
  if (rule.capabilities.length === 0 && !content.attributes.has("capabilities") && !content.attributes.has("policy")) {
    const detail = `The rule for ${quote(written!)} allows nothing. Add capabilities = ["read"], or what is wanted.`;
    diagnostics.push(warningDiagnostic("Rule without capabilities", detail, { subject: rangeOf(block.header) }));
  }
  if (rule.maxWrappingTtl !== 0 && rule.minWrappingTtl > rule.maxWrappingTtl) {
    const detail = "min_wrapping_ttl is above max_wrapping_ttl, so nothing would be allowed. Change one of them.";
    diagnostics.push(errorDiagnostic("Wrapping times out of order", detail, { subject: rangeOf(block.header) }));
  }
  return rule;
}

class RuleReader {
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #diagnostics: Diagnostic[];

  constructor(attributes: ReadonlyMap<string, Attribute>, diagnostics: Diagnostic[]) {
    this.#attributes = attributes;
    this.#diagnostics = diagnostics;
  }

  capabilities(): readonly Capability[] {
    const found = new Set<Capability>(this.#legacy());
    for (const [text, expression] of this.texts("capabilities")) {
      const known = capabilities.find((capability) => capability === text.toLowerCase());
      if (known) found.add(known);
      else this.#refuseCapability(text, expression);
    }
    // Whoever may not do anything may not do anything else.
    return found.has("deny") ? ["deny"] : [...found];
  }

  texts(name: string): readonly (readonly [text: string, expression: Expression])[] {
    const attribute = this.#attributes.get(name);
    if (!attribute) return [];
    const elements = elementsIn(attribute.expression);
    if (!elements) {
      this.#tell(`Invalid ${name}`, `A list of texts is expected: ${name} = ["…", "…"].`, attribute.expression);
      return [];
    }
    return elements.flatMap((expression) => {
      const plain = this.#plain(expression);
      if (typeof plain === "string") return [[plain, expression] as const];
      this.#tell(`Invalid ${name}`, "Each element is a text in quotes.", expression);
      return [];
    });
  }

  /** `{ name = ["value", …], other = [] }`; one value may stand without the brackets. */
  parameters(name: string): ParameterValues {
    const attribute = this.#attributes.get(name);
    if (!attribute) return new Map();
    const plain = this.#plain(attribute.expression);
    const objects = Array.isArray(plain) ? plain : [plain];
    if (!objects.every((object) => typeof object === "object" && object !== null && !Array.isArray(object))) {
      const detail = `Names with lists of values are expected: ${name} = { "ttl" = ["1h", "2h"], "*" = [] }.`;
      this.#tell(`Invalid ${name}`, detail, attribute.expression);
      // Nothing that could be matched: a rule that cannot be read must not allow more than it was to.
      return new Map(name === "allowed_parameters" ? [["", []]] : [["*", []]]);
    }
    const entries = objects.flatMap((object) => Object.entries(object as Record<string, unknown>));
    return new Map(entries.map(([key, value]) => [key.toLowerCase(), Array.isArray(value) ? value : [value]]));
  }

  seconds(name: string): number {
    const attribute = this.#attributes.get(name);
    if (!attribute) return 0;
    const seconds = secondsOf(this.#plain(attribute.expression));
    if (seconds !== undefined && seconds >= 0) return seconds;
    this.#tell(`Invalid ${name}`, 'A length of time is expected, such as "90s" or "1h".', attribute.expression);
    return 0;
  }

  #legacy(): readonly Capability[] {
    const attribute = this.#attributes.get("policy");
    if (!attribute) return [];
    const plain = this.#plain(attribute.expression);
    const found = typeof plain === "string" ? legacyRights.get(plain) : undefined;
    if (found) return found;
    const detail = `The older form knows "read", "write", "sudo" and "deny". Better write capabilities = ["read", "list"].`;
    this.#tell("Invalid policy", detail, attribute.expression);
    return [];
  }

  #refuseCapability(text: string, expression: Expression): void {
    const near = similar(text, capabilities);
    const hint = near ? ` Did you mean ${quote(near)}?` : "";
    this.#tell(
      "Invalid capability",
      `There is no capability ${quote(text)}.${hint} There are ${capabilities.join(", ")}.`,
      expression,
    );
  }

  #plain(expression: Expression): unknown {
    const value = evaluateInto(expression, undefined, this.#diagnostics);
    return isWhollyKnown(value) ? toPlain(value, value.type) : undefined;
  }

  #tell(summary: string, detail: string, expression: Expression): void {
    this.#diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(expression) }));
  }
}

const legacyRights: ReadonlyMap<string, readonly Capability[]> = new Map([
  ["read", ["read", "list"]],
  ["write", ["create", "read", "update", "delete", "list"]],
  ["sudo", ["create", "read", "update", "delete", "list", "sudo"]],
  ["deny", ["deny"]],
]);

import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Expression, TraversalStep } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Value } from "@millwright/value/value";
import { configResourceText, staticModule } from "../addresses.ts";
import { parseAddress } from "../parse-address.ts";
import type { ImportBlock, ImportStep, ImportTarget } from "../refactor/blocks.ts";
import type { Constants } from "./constants.ts";
import { providerReference } from "./provider-reference.ts";

const optional = (name: string) => ({ name, required: false });

/** An `import` block; undefined where it cannot be told what is imported, or by what. */
export function decodeImport(block: Block, constants: Constants): ImportBlock | undefined {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [{ name: "to", required: true }, ...["id", "identity", "for_each", "provider"].map(optional)],
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  const { attributes } = content;
  const to = attributes.get("to");
  const id = attributes.get("id");
  const identity = attributes.get("identity");
  const refuse = (summary: string, detail: string, attribute: Attribute | undefined) => {
    const subject = attribute ? rangeOf(attribute) : rangeOf(block.openBrace);
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject }));
  };
  const by = id ?? identity;
  if (!by) refuse("Missing required argument", 'The argument "id" is required, but no definition was found.', by);
  if (id && identity)
    refuse("Invalid import block", 'Give "id" or "identity", one of the two: an object is looked for once.', identity);
  const target = to && targetOf(to.expression, constants);
  if (target && target.resource.mode !== "managed")
    refuse("Invalid import address", "Only managed resources can be imported.", to);
  if (!target || !by || target.resource.mode !== "managed") return undefined;
  const forEach = attributes.get("for_each");
  const provider = attributes.get("provider");
  const reference = provider && providerReference(provider.expression, constants);
  return {
    to: target,
    by: { kind: id ? "id" : "identity", expression: by.expression },
    range: rangeOf(block.typeNode),
    ...(forEach ? { forEach: forEach.expression } : {}),
    ...(reference ? { provider: reference } : {}),
  };
}

function targetOf(expression: Expression, constants: Constants): ImportTarget | undefined {
  const steps = stepsOf(expression) ?? staticSteps(expression, constants);
  if (!steps) return undefined;
  const range = rangeOf(expression);
  const names = steps.flatMap((step) => (step.kind === "name" ? step.name : [])).join(".");
  const parsed = parseAddress(names);
  if (parsed?.kind !== "instance") {
    const detail = `"${names}" is not the address of a resource or of an instance of one, such as aws_instance.b or module.a.aws_instance.b[each.key].`;
    constants.diagnostics.push(errorDiagnostic("Invalid import address", detail, { subject: range }));
    return undefined;
  }
  const { module, resource } = parsed.address;
  return { steps, module: staticModule(module), resource, text: configResourceText(module, resource), range };
}

// What is no reference with keys may still be one in quotes, as JSON has it.
function staticSteps(expression: Expression, constants: Constants): ImportStep[] | undefined {
  const traversal = constants.traversal(expression);
  return traversal && [{ kind: "name", name: traversal.root.name }, ...traversal.steps.map(staticStep)];
}

function stepsOf(expression: Expression): ImportStep[] | undefined {
  switch (expression.kind) {
    case "scopeTraversal":
      return [{ kind: "name", name: expression.root.name }, ...expression.steps.map(staticStep)];
    case "relativeTraversal": {
      const before = stepsOf(expression.source);
      return before && [...before, ...expression.steps.map(staticStep)];
    }
    case "index": {
      const before = stepsOf(expression.collection);
      return before && [...before, { kind: "expression", expression: expression.key }];
    }
    default:
      return undefined;
  }
}

function staticStep(step: TraversalStep): ImportStep {
  return step.kind === "attribute" ? { kind: "name", name: step.name } : keyStep(step.key);
}

function keyStep(key: Value): ImportStep {
  return { kind: "key", key };
}

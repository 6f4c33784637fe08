import {
  absoluteResourceText,
  parseProviderConfigAddress,
  parseProviderSource,
  type ProviderSource,
  providerSourceText,
} from "@millwright/engine/addresses";
import type { ResourceState } from "@millwright/engine/state";
import type { CommandIo } from "../io.ts";
import { ask } from "./ask.ts";
import { runCommand } from "./command.ts";
import { stateOptions } from "./open-state.ts";
import { ignoreRemoteVersion, jsonLinesFlag, stateFlags, stateOutFlags, viewFlags } from "./options.ts";
import type { CommandStyle, Session } from "./session.ts";
import { withRecovered } from "./with-state.ts";

export function runReplaceProvider(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        ...stateFlags,
        backup: stateOutFlags.backup,
        "no-color": viewFlags["no-color"],
        ...jsonLinesFlag,
        "ignore-remote-version": ignoreRemoteVersion,
        "auto-approve": { kind: "bool", help: "Do not ask before." },
      },
      usage: "state replace-provider [flags] FROM TO",
      about: "Has the resources of one provider belong to another, which must know their types and their objects.",
      example: "state replace-provider hashicorp/aws acme.corp/acme/aws",
      jsonLines: true,
      arguments: [2, 2],
      run: async ({ session, values, occurrences, args: [fromText = "", toText = ""] }) => {
        const [from, to] = [parseProviderSource(fromText), parseProviderSource(toText)];
        if (!from || !to) {
          const detail = `"${from ? toText : fromText}" is not the source of a provider, such as hashicorp/aws or registry.acme.corp/acme/aws.`;
          return session.refuse("Invalid provider source", detail);
        }
        const options = { ...stateOptions(values, occurrences, "state-replace-provider"), byHand: true } as const;
        return withRecovered(session, options, async ({ kept }) => {
          const { state } = kept.current;
          const going = [...state.resources].filter(([, { provider }]) => {
            const source = parseProviderConfigAddress(provider)?.source;
            return source && providerSourceText(source) === providerSourceText(from);
          });
          if (going.length === 0) {
            await session.say("No matching resources found.");
            return 0;
          }
          if (values.json && !values["auto-approve"])
            return session.refuse("Nobody to ask", "With -json nobody is asked: give -auto-approve.");
          await sayReplacement(
            session,
            from,
            to,
            going.map(([, resource]) => resource),
          );
          if (!values["auto-approve"]) {
            const answer = await ask(
              io,
              '\nDo you want to make these changes?\nOnly "yes" is accepted.\n\nEnter a value: ',
            );
            if (answer?.trim() !== "yes") {
              await io.stdout("\nCancelled replacing providers.\n");
              return 0;
            }
          }
          const replaced = going.map(([text, resource]) => {
            const provider = resource.provider.replace(providerSourceText(from), () => providerSourceText(to));
            return [text, { ...resource, provider }] as const;
          });
          await kept.write({ ...state, resources: new Map([...state.resources, ...replaced]) });
          const text = `Successfully replaced provider for ${going.length} resources.`;
          await session.say(text, { shown: `\n${text}` });
          return 0;
        });
      },
    },
    args,
    io,
    style,
  );
}

async function sayReplacement(
  session: Session,
  fromSource: ProviderSource,
  toSource: ProviderSource,
  going: readonly ResourceState[],
): Promise<void> {
  const [from, to] = [providerSourceText(fromSource), providerSourceText(toSource)];
  const resources = going.map(({ module, address }) => absoluteResourceText(module, address));
  const names = resources.map((name) => `  ${name}\n`).join("");
  const shown = `The state is changed as follows:\n\n  ~ Updating provider:\n    - ${from}\n    + ${to}\n\nChanging ${going.length} resources:\n\n${names}`;
  const text = `The provider of ${going.length} resources is changed from ${from} to ${to}.`;
  await session.say(text, { shown: shown.trimEnd(), type: "replace_provider", about: { resources, from, to } });
}

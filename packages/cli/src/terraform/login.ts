import { errorDiagnostic } from "@millwright/core/diagnostics";
import { loginByBrowser, type LoginOffer, loginOffer } from "@millwright/sources/login";
import { sourceSettings } from "../init/source-settings.ts";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";
import { ask, isInteractive } from "./ask.ts";
import { type CommandCall, runCommand } from "./command.ts";
import type { CommandStyle, Session } from "./session.ts";

const defaultHost = "app.terraform.io";
const noFlags = {};

/** Gets a token of a host and stores it for its services. */
export function runLogin(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: noFlags,
      usage: "login [HOST]",
      about:
        "Gets a token of a host, by a page in a browser or by one that you paste, and stores it in a file of mode 0600, for registries and other services of that host.",
      example: "login registry.example.com",
      arguments: [0, 1],
      run: login,
    },
    args,
    io,
    style,
  );
}

/** Forgets the stored token of a host. */
export function runLogout(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: noFlags,
      usage: "logout [HOST]",
      about:
        "Removes the token of a host that login has stored. The host itself is not told: the token stays valid there.",
      example: "logout registry.example.com",
      arguments: [0, 1],
      run: logout,
    },
    args,
    io,
    style,
  );
}

async function login({ session, args }: CommandCall<typeof noFlags>): Promise<number> {
  const host = hostOf(args);
  if (host === undefined) return refuseHost(session, args[0]!);
  const { discovery, credentials } = sourceSettings(session);
  const offer = await loginOffer(discovery, host);
  const token = offer.kind === "page" ? await pasted(session, offer) : await byBrowser(session, host, offer);
  if (token === undefined) {
    await session.report([errorDiagnostic("No token", "Nothing was typed, so nothing was stored.")]);
    return 1;
  }
  const place = await credentials.store(host, token);
  const style = styleOf(session.view);
  await session.io.stdout(`\n${style.green(style.bold("Success!"))} The token for ${host} is kept in ${place}.\n`);
  return 0;
}

async function byBrowser(
  session: Session,
  host: string,
  offer: Extract<LoginOffer, { kind: "browser" }>,
): Promise<string> {
  const { discovery } = sourceSettings(session);
  return loginByBrowser(offer, discovery, async (page) => {
    await session.io.stdout(
      `Open this page in a browser on this machine, and log in to ${host}:\n\n    ${page.href}\n\nWaiting for the host's answer...\n`,
    );
  });
}

// The token is read from where the command is: it is on no command line, and in no environment.
async function pasted(session: Session, { page }: Extract<LoginOffer, { kind: "page" }>): Promise<string | undefined> {
  const question = isInteractive(session.io)
    ? `Make a token on this page, and paste it here. It is shown as you type:\n\n    ${page.href}\n\nToken: `
    : "";
  const text = (await ask(session.io, question))?.trim();
  return text === "" ? undefined : text;
}

async function logout({ session, args }: CommandCall<typeof noFlags>): Promise<number> {
  const host = hostOf(args);
  if (host === undefined) return refuseHost(session, args[0]!);
  const isForgotten = await sourceSettings(session).credentials.forget(host);
  await session.io.stdout(
    isForgotten ? `The token for ${host} is removed from this machine.\n` : `No credentials for ${host} are stored.\n`,
  );
  return 0;
}

function hostOf(args: readonly string[]): string | undefined {
  const host = (args[0] ?? defaultHost).toLowerCase();
  return /^[a-z0-9.-]+(:\d+)?$/.test(host) ? host : undefined;
}

async function refuseHost(session: Session, text: string): Promise<number> {
  const detail = `"${text}" is no name of a host. One looks like registry.example.com, without https://.`;
  await session.report([errorDiagnostic("Invalid hostname", detail)]);
  return 1;
}

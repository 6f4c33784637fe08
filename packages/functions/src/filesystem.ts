import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { compileGlob } from "@millwright/text/glob";
import { quote } from "@millwright/text/quote";
import { boolType, setType, stringType } from "@millwright/value/types";
import type { Mark } from "@millwright/value/value";
import { asString, boolValue, setValue, stringValue, unmark, withMarks } from "@millwright/value/value";
import { encodeBase64 } from "./base64.ts";
import { notNull, refuse, stringFunction, text, unlessSecret } from "./define.ts";
import type { Environment } from "./environment.ts";
import type { FileFault, FileKind } from "./file-port.ts";
import { isFault } from "./file-port.ts";
import { baseName, cleanPath, folderName, isAbsolutePath, joinPath, relativePath } from "./go-path.ts";
import { globFiles } from "./glob-files.ts";
import { hashes } from "./hashes.ts";
import { decodeUtf8 } from "./utf8.ts";

/** What functions need to find and read files. */
export type FileAccess = Pick<Environment, "files" | "baseDir">;

const basename = stringFunction({ name: "basename", description: "The last part of a path." }, ["path"], (path) =>
  baseName(path!),
);

const dirname = stringFunction({ name: "dirname", description: "The path without its last part." }, ["path"], (path) =>
  folderName(path!),
);

/**
 * The text of the file at a path, as `file` gives it. Refuses what is not there as argument 0, and what is not UTF-8.
 */
export function fileText(access: FileAccess, path: string, marks: ReadonlySet<Mark>): string {
  const content = decodeUtf8(fileBytes(access, path, marks));
  if (content !== undefined) return content;
  const advice =
    "use the filebase64 function to obtain the Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead";
  refuse(`contents of ${unlessSecret(quote(path), marks)} are not valid UTF-8; ${advice}`);
}

function fileBytes(access: FileAccess, path: string, marks: ReadonlySet<Mark>): Uint8Array {
  const place = placeOf(access, path, 0);
  const answer = access.files.read(place);
  if (!isFault(answer)) return answer;
  if (answer.fault === "missing") {
    const advice =
      "this function works only with files that are distributed as part of the configuration source code, so if this file will be created by a resource in this configuration you must instead obtain this result from an attribute of that resource";
    refuse(`no file exists at ${unlessSecret(quote(path), marks)}; ${advice}`, 0);
  }
  const what = faultText(answer, unlessSecret(place, marks));
  refuse(answer.step === "read" ? `failed to read file: ${what}` : what, 0);
}

/** The path as the file port takes it: `~` made the home folder, relative ones joined to the base folder. */
function placeOf({ files, baseDir }: FileAccess, path: string, argument?: number): string {
  const expanded = withHome(path, files.homeFolder());
  if (!expanded.ok) refuse(`failed to expand ~: ${expanded.error}`, argument);
  return cleanPath(isAbsolutePath(expanded.path) ? expanded.path : joinPath(baseDir, expanded.path));
}

type WithHome = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly error: string };

function withHome(path: string, home: string | undefined): WithHome {
  if (!path.startsWith("~")) return { ok: true, path };
  if (path.length > 1 && !/^~[/\\]/.test(path)) return { ok: false, error: "cannot expand user-specific home dir" };
  if (home === undefined) return { ok: false, error: "the home folder is not known; set HOME" };
  return { ok: true, path: joinPath(home, path.slice(1)) };
}

function faultText({ step, message }: FileFault, place: string): string {
  return `${step} ${place}: ${message}`;
}

function readers(access: FileAccess): readonly FunctionSpec[] {
  const path = { ...text("path"), allowMarked: true as const };
  const file: FunctionSpec = {
    name: "file",
    description: "The text (UTF-8) of a file.",
    parameters: [path],
    returnType: stringType,
    refineResult: notNull,
    call: ([arg]) => {
      const [bare, marks] = unmark(arg!);
      return withMarks(stringValue(fileText(access, asString(bare), marks)), marks);
    },
  };
  const filebase64: FunctionSpec = {
    ...file,
    name: "filebase64",
    description: "The content of a file in Base64.",
    call: ([arg]) => {
      const [bare, marks] = unmark(arg!);
      return withMarks(stringValue(encodeBase64(fileBytes(access, asString(bare), marks))), marks);
    },
  };
  const hashFunctions = hashes.map(({ fileName, description, digest }) =>
    stringFunction({ name: fileName, description: `${description} of a file.` }, ["path"], (given) => {
      const place = placeOf(access, given!);
      const answer = access.files.read(place);
      return isFault(answer) ? refuse(faultText(answer, place)) : digest(answer);
    }),
  );
  return [file, filebase64, ...hashFunctions];
}

const notAFile: Readonly<Record<Exclude<FileKind, "file">, string>> = {
  folder: "is a directory, not a file",
  device: "is a device node, not a regular file",
  pipe: "is a named pipe, not a regular file",
  socket: "is a unix domain socket, not a regular file",
  other: "is not a regular file",
};

function fileexists(access: FileAccess): FunctionSpec {
  return {
    name: "fileexists",
    description: "Whether there is a file at a path.",
    parameters: [{ ...text("path"), allowMarked: true }],
    returnType: boolType,
    refineResult: notNull,
    call: ([arg]) => {
      const [bare, marks] = unmark(arg!);
      const place = placeOf(access, asString(bare));
      const kind = access.files.kind(place);
      const shown = unlessSecret(quote(place), marks);
      if (isFault(kind)) {
        if (kind.fault === "missing") return withMarks(boolValue(false), marks);
        refuse(`failed to stat ${shown}`);
      }
      if (kind !== "file") refuse(`${shown} ${notAFile[kind]}`);
      return withMarks(boolValue(true), marks);
    },
  };
}

function fileset({ files, baseDir }: FileAccess): FunctionSpec {
  return {
    name: "fileset",
    description:
      "The paths of the files under a folder that match a pattern (`*`, `**`, `?`, `{a,b}`, `[a-z]`), relative to it.",
    parameters: [
      { ...text("path"), allowMarked: true },
      { ...text("pattern"), allowMarked: true },
    ],
    returnType: setType(stringType),
    refineResult: notNull,
    call: (args) => {
      const [path, pathMarks] = unmark(args[0]!);
      const [pattern, patternMarks] = unmark(args[1]!);
      const marks = new Set<Mark>([...pathMarks, ...patternMarks]);
      const given = asString(path);
      const folder = isAbsolutePath(given) ? given : joinPath(baseDir, given);
      // The reference joins the two before it reads the pattern, so that `..` in it works, and wildcards in the path do too.
      const whole = joinPath(folder, asString(pattern));
      const shown = unlessSecret(quote(whole), marks);
      const compiled = compileGlob(whole);
      if (!compiled.ok) refuse(`failed to glob pattern ${shown}: ${compiled.error}`);
      const found = globFiles(files, compiled.glob);
      if (isFault(found)) refuse(`failed to glob pattern ${shown}: ${found.message}`);
      const names = found.map((match) => stringValue(relativePath(cleanPath(folder), match)));
      return withMarks(setValue(names, stringType), marks);
    },
  };
}

function paths({ files }: FileAccess): readonly FunctionSpec[] {
  return [
    stringFunction(
      {
        name: "abspath",
        description: "The path from the root on, for one that may be relative to the working folder.",
      },
      ["path"],
      (path) => (isAbsolutePath(path!) ? cleanPath(path!) : joinPath(files.workingFolder(), path!)),
    ),
    basename,
    dirname,
    stringFunction(
      { name: "pathexpand", description: "The path with a `~` at its start replaced by the home folder." },
      ["path"],
      (path) => {
        const expanded = withHome(path!, files.homeFolder());
        return expanded.ok ? expanded.path : refuse(expanded.error);
      },
    ),
  ];
}

export function filesystemFunctions(access: FileAccess): readonly FunctionSpec[] {
  return [...paths(access), ...readers(access), fileexists(access), fileset(access)];
}

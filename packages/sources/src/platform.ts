/** The platform that a program of a provider is for, in Go's words: `linux_amd64`. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

export function platformText({ os, arch }: Platform): string {
  return `${os}_${arch}`;
}

/** Reads `linux_amd64`; undefined where it is not of that form. */
export function parsePlatform(text: string): Platform | undefined {
  const match = /^([a-z0-9]+)_([a-z0-9]+)$/.exec(text);
  return match ? { os: match[1]!, arch: match[2]! } : undefined;
}

/** The platform that this program runs on. */
export const currentPlatform: Platform = {
  os: process.platform === "win32" ? "windows" : process.platform,
  arch: goArchitecture(process.arch),
};

function goArchitecture(arch: string): string {
  if (arch === "x64") return "amd64";
  return arch === "ia32" ? "386" : arch;
}

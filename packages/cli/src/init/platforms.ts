import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { currentPlatform, parsePlatform, type Platform } from "@millwright/sources/platform";

/** The platforms that flags name; this one where they name none. */
export function readPlatforms(texts: readonly string[]): Diagnosed<readonly Platform[]> {
  if (texts.length === 0) return { value: [currentPlatform], diagnostics: [] };
  const value = texts.map(parsePlatform).filter((platform) => platform !== undefined);
  const diagnostics = texts
    .filter((text) => !parsePlatform(text))
    .map((text) => {
      const detail = `"${text}" is no platform. One is written OS_ARCH, such as linux_amd64 or darwin_arm64.`;
      return errorDiagnostic("Invalid target platform", detail);
    });
  return { value, diagnostics };
}

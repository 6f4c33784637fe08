import { LocalStorage } from "@millwright/engine/backend/local-storage";
import type { BackendType } from "./backend-type.ts";
import { blockSchema } from "./settings.ts";

/** `backend "local"`: files on this machine. */
export const localBackend: BackendType = {
  name: "local",
  schema: blockSchema({ path: "text", workspace_dir: "text" }),
  environment: {},
  check: (settings) =>
    ["path", "workspace_dir"].filter((name) => settings.text(name) === "").map((name) => `${name} must not be empty`),
  open: async (settings, { folder }) => {
    const path = settings.text("path");
    const workspaceFolder = settings.text("workspace_dir");
    return new LocalStorage({
      folder,
      ...(path === undefined ? {} : { path }),
      ...(workspaceFolder === undefined ? {} : { workspaceFolder }),
    });
  },
};

/**
 * The settings of a configuration file, by their names there: one table that files and flags are read by. A text in
 * brackets is the kind of its value; a table is a block; a table in a list is a block that may stand several times.
 */
export const settingFields = {
  consul: {
    address: "text",
    namespace: "text",
    token: "text",
    token_file: "text",
    auth: { enabled: "bool", username: "text", password: "text" },
    retry: { enabled: "bool", attempts: "whole", backoff: "duration", max_backoff: "duration" },
    ssl: {
      enabled: "bool",
      verify: "bool",
      ca_cert: "text",
      ca_path: "text",
      cert: "text",
      key: "text",
      server_name: "text",
    },
    transport: "ignored",
  },
  vault: {
    address: "text",
    enabled: "bool",
    namespace: "text",
    token: "text",
    vault_agent_token_file: "text",
    unwrap_token: "bool",
    renew_token: "bool",
    default_lease_duration: "duration",
    lease_renewal_threshold: "number",
    retry: { enabled: "bool", attempts: "whole", backoff: "duration", max_backoff: "duration" },
    ssl: {
      enabled: "bool",
      verify: "bool",
      ca_cert: "text",
      ca_cert_bytes: "text",
      ca_path: "text",
      cert: "text",
      key: "text",
      server_name: "text",
    },
    transport: "ignored",
    client_user_agent: "ignored",
  },
  template: [
    {
      source: "text",
      contents: "text",
      destination: "text",
      command: "command",
      command_timeout: "duration",
      perms: "mode",
      user: "text",
      group: "text",
      uid: "whole",
      gid: "whole",
      backup: "bool",
      create_dest_dirs: "bool",
      left_delimiter: "text",
      right_delimiter: "text",
      error_on_missing_key: "bool",
      error_fatal: "bool",
      function_denylist: "texts",
      function_blacklist: "texts",
      sandbox_path: "text",
      wait: { enabled: "bool", min: "duration", max: "duration" },
      exec: {
        command: "command",
        timeout: "duration",
        kill_signal: "signal",
        kill_timeout: "duration",
        env: {
          pristine: "bool",
          custom: "texts",
          allowlist: "texts",
          denylist: "texts",
          whitelist: "texts",
          blacklist: "texts",
        },
      },
    },
  ],
  exec: {
    command: "command",
    enabled: "bool",
    kill_signal: "signal",
    kill_timeout: "duration",
    reload_signal: "signal",
    splay: "duration",
    env: {
      pristine: "bool",
      custom: "texts",
      allowlist: "texts",
      denylist: "texts",
      whitelist: "texts",
      blacklist: "texts",
    },
  },
  wait: { enabled: "bool", min: "duration", max: "duration" },
  default_delimiters: { left: "text", right: "text" },
  template_error_fatal: "bool",
  kill_signal: "signal",
  reload_signal: "signal",
  log_level: "text",
  log_file: {
    path: "text",
    log_rotate_bytes: "ignored",
    log_rotate_duration: "ignored",
    log_rotate_max_files: "ignored",
  },
  pid_file: "text",
  max_stale: "duration",
  block_query_wait: "duration",
  deduplicate: "ignored",
  syslog: "ignored",
  nomad: "ignored",
} as const satisfies SettingFields;

/**
 * `duration` is in milliseconds, `mode` the mode bits of a file, `command` a line or an argument list; a `signal` of null
 * is none. `ignored` is known, and has no effect here: whoever sets it is told.
 */
export type SettingKind = keyof SettingValues | "ignored";

export interface SettingFields {
  readonly [name: string]: SettingKind | SettingFields | readonly [SettingFields];
}

interface SettingValues {
  readonly text: string;
  readonly bool: boolean;
  readonly whole: number;
  readonly number: number;
  readonly duration: number;
  readonly texts: readonly string[];
  readonly command: string | readonly string[];
  readonly signal: NodeJS.Signals | null;
  readonly mode: number;
}

type SettingsOf<F> = {
  readonly [K in keyof F]?: F[K] extends keyof SettingValues
    ? SettingValues[F[K]]
    : F[K] extends "ignored"
      ? never
      : F[K] extends readonly [infer G]
        ? readonly SettingsOf<G>[]
        : SettingsOf<F[K]>;
};

/** What files and flags say; what they leave out has a default. */
export type Settings = SettingsOf<typeof settingFields>;
export type TemplateSettings = NonNullable<Settings["template"]>[number];

/** Both together: of values the later one holds, lists of templates are joined. */
export function mergeSettings(earlier: Settings, later: Settings): Settings {
  return merge(earlier, later) as Settings;
}

function merge(earlier: unknown, later: unknown): unknown {
  if (later === undefined) return earlier;
  if (!isTable(earlier) || !isTable(later)) return later;
  const merged: Record<string, unknown> = { ...earlier };
  for (const [name, value] of Object.entries(later)) {
    const before = merged[name];
    merged[name] =
      name === "template" && Array.isArray(before) && Array.isArray(value)
        ? [...before, ...value]
        : merge(before, value);
  }
  return merged;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

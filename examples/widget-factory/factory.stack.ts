import { call, output, ref, resource } from "millwright";

// What runs, and what it reads: in TypeScript, beside the .tf files of the same folder.

/** How many widgets the machine makes in a minute: by this the program says when an order will be ready. */
const settings = { widgets_per_minute: 12 };

const keys = resource("consul_keys", "settings", {
  key: Object.entries(settings).map(([name, value]) => ({
    path: `factory/${name}`,
    value: String(value),
    delete: true,
  })),
});

const shared = {
  artifacts: ref("var.artifacts"),
  datacenter: ref("var.datacenter"),
};

const database = resource(
  "nomad_job",
  "database",
  {
    jobspec: call("file", "jobs/database.nomad.hcl"),
    // The connection to it is tried as soon as it is there: wait until it answers.
    detach: false,
    purge_on_destroy: true,
    hcl2: {
      vars: {
        ...shared,
        postgres_bin: ref("var.postgres_bin"),
        postgres_libraries: ref("var.postgres_libraries"),
        run_as: ref("var.postgres_user"),
        data: ref("var.postgres_data"),
        on: ref("var.postgres_node"),
        port: call("element", call("split", ":", ref("var.postgres_address")), 1),
      },
    },
  },
  { depends_on: [ref("vault_jwt_auth_backend_role.job"), ref("vault_kv_secret_v2.database")] },
);

const widgets = resource(
  "nomad_job",
  "widgets",
  {
    jobspec: call("file", "jobs/widgets.nomad.hcl"),
    detach: false,
    purge_on_destroy: true,
    hcl2: {
      vars: {
        ...shared,
        release: ref("var.release"),
        instances: ref("var.instances"),
        driver: ref("var.driver"),
        node: ref("var.node"),
      },
    },
  },
  { depends_on: [keys, database, ref("vault_database_secret_backend_role.widgets")] },
);

output("program", widgets.id);

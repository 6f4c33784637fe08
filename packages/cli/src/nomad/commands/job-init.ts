import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "@millwright/core/errors";
import { nomadCommand, Refusal } from "../command.ts";

/** `job init`. */
export const initJob = nomadCommand({
  usage: "[flags] [FILE]",
  about:
    "Writes an example of a job file, example.nomad.hcl where no name is given. A file that is there is left alone.",
  examples: ["job init", "job init -short web.nomad"],
  flags: { short: { kind: "bool", help: "Without the comments." } },
  args: { least: 0, most: 1 },
  failure: "Error writing the file",
  run: async ({ values, args, io, program }) => {
    const [name = "example.nomad.hcl"] = args;
    const text = values.short ? withoutComments(example) : example;
    try {
      await writeFile(resolve(io.cwd, name), text, { flag: "wx" });
    } catch (error) {
      const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
      throw new Refusal(exists ? `Job '${name}' already exists` : `Failed to write '${name}': ${messageOf(error)}`);
    }
    await io.stdout(`Example job file written to ${name}\nNext: ${program} job plan ${name}\n`);
    return 0;
  },
});

/** Comment lines, and the empty lines that they would leave. */
function withoutComments(text: string): string {
  return text
    .replace(/^ *#.*\n/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .replace(/\{\n\n/g, "{\n");
}

const example = `# A job is what shall run. "job plan" shows what running it would change.
job "example" {
  type = "service"

  # How a new version takes the place of the old one: so many instances at a
  # time, each healthy before the next.
  update {
    max_parallel     = 1
    min_healthy_time = "10s"
    healthy_deadline = "5m"
    auto_revert      = true
  }

  # Tasks of a group run together on one node, "count" times.
  group "app" {
    count = 2

    network {
      # A port that is free on the node: $NOMAD_PORT_http.
      port "http" {}
    }

    # Found as example-app.service.consul while its check passes.
    service {
      name = "example-app"
      port = "http"

      check {
        type     = "http"
        path     = "/"
        interval = "5s"
        timeout  = "2s"
      }
    }

    task "server" {
      driver = "raw_exec"

      config {
        command = "python3"
        args    = ["-m", "http.server", "\${NOMAD_PORT_http}"]
      }

      # MHz, and MiB.
      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
`;

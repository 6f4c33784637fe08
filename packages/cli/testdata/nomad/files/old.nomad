job "old" {
  task "server" {
    driver = "raw_exec"
    config { command = "server" args = ["${NOMAD_PORT_http}"] }
    meta { "app.owner" = "me" }
  }
}

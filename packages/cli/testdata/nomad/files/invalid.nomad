job "invalid" {
  priority = 500
  group "app" {
    task "server" {
      driver = "raw_exec"
      config {
        command = "server"
      }
    }
  }
}

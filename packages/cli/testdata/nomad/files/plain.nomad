job "plain" {
  group "app" {
    task "server" {
      driver = "raw_exec"
      config {
        command = "server"
      }
    }
  }
}

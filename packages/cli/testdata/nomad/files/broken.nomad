job "broken" {
  group "app" {
    count = 
  }
}

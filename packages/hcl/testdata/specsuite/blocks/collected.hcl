server "web" "a" {
  port = 1
}
zone {
  name = "north"
}
server "db" "a" {
  port = 2
}
zone {
  name = "east"
}
zone {
  name = "north"
}
server "web" "b" {
}

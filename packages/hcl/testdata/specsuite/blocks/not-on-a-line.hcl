server { port = 1, host = "a" }
server { port = 1
}
server { port = 1
  host = "a" }
server { port = 1
  host = "a"
}
server { inner {} }

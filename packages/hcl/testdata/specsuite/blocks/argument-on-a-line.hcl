server { port = 8500 }

host = "localhost"

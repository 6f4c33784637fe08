host = "localhost"
port = 8500
user = "me"

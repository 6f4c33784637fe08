host = "localhost"
port = "8500"
name = "widget"

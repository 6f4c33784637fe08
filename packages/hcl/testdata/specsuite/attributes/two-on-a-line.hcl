host = "ä", port = 1

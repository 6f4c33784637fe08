port = "eighty"
tags = {}

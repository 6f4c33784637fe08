result_type = object({
  server   = map(map(object({ port = number })))
  zones    = list(object({ name = string }))
  distinct = set(object({ name = string }))
  missing  = list(object({ any = string }))
})

result = {
  server = {
    web = { a = { port = 1 }, b = { port = null } }
    db  = { a = { port = 2 } }
  }
  zones    = [{ name = "north" }, { name = "east" }, { name = "north" }]
  distinct = [{ name = "east" }, { name = "north" }]
  missing  = []
}

result_type = object({
  host = string
  name = string
  port = string
})

result = {
  host = "localhost"
  name = "widget"
  port = "8500"
}

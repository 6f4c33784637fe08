result_type = object({
  port = number
})

result = {
  port = 8500
}

result_type = object({
  host  = string
  size  = number
  bytes = number
  both  = tuple([number, string])
})

result = {
  host  = "localhost"
  size  = 3
  bytes = 3072
  both  = [3, "X"]
}

result_type = object({
  port     = number
  ratio    = number
  precise  = number
  plain    = string
  beyond   = string
  astral   = string
  composed = string
  escapes  = string
  percent  = string
  true     = bool
  false    = bool
  null     = any
})

result = {
  port     = 8500
  ratio    = 0.25
  precise  = 2.71828182845904523536028747135266249775724709369995957496696763
  plain    = "widget"
  beyond   = "Straße — Жук"
  astral   = "👨‍👩‍👦 and 𝄞"
  composed = "Am\u00e9lie"
  escapes  = "a\tb\n\"c\" \\ é 😀"
  percent  = "$${not} %%{a template}"
  "true"   = true
  "false"  = false
  "null"   = null
}

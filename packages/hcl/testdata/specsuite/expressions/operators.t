result_type = object({
  both    = map(object({
    no_no   = bool
    no_yes  = bool
    yes_no  = bool
    yes_yes = bool
  }))
  choice  = object({
    no  = string
    yes = string
  })
  compute = object({
    below_zero = number
    difference = number
    grouped    = number
    long_rest  = number
    long_sum   = number
    negative   = number
    order      = number
    product    = number
    quotient   = number
    rest       = number
    sum        = number
    third      = number
  })
  order   = map(object({
    equal = bool
    less  = bool
    more  = bool
  }))
  same    = map(object({
    bool      = bool
    different = bool
    equal     = bool
    null      = bool
    number    = bool
  }))
  turned  = map(object({
    no  = bool
    yes = bool
  }))
})

result = {
  both    = {
    "&&" = {
      no_no   = false
      no_yes  = false
      yes_no  = false
      yes_yes = true
    }
    "||" = {
      no_no   = false
      no_yes  = true
      yes_no  = true
      yes_yes = true
    }
  }
  choice  = {
    no  = "second"
    yes = "first"
  }
  compute = {
    below_zero = -7.5
    difference = 7.5
    grouped    = 9
    long_rest  = 1.700000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001
    long_sum   = 3.71828182845904523536028747135266249775724709369995957496696763
    negative   = -8
    order      = 5
    product    = 9
    quotient   = 0.375
    rest       = 2
    sum        = 8.5
    third      = 0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335
  }
  order   = {
    "<"  = {
      equal = false
      less  = true
      more  = false
    }
    "<=" = {
      equal = true
      less  = true
      more  = false
    }
    ">"  = {
      equal = false
      less  = false
      more  = true
    }
    ">=" = {
      equal = true
      less  = false
      more  = true
    }
  }
  same    = {
    "!=" = {
      bool      = true
      different = true
      equal     = false
      "null"    = false
      number    = true
    }
    "==" = {
      bool      = false
      different = false
      equal     = true
      "null"    = true
      number    = false
    }
  }
  turned  = {
    "!" = {
      no  = true
      yes = false
    }
  }
}

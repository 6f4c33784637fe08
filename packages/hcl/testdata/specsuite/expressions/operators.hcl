same "==" {
  equal     = "web" == "web"
  different = "web" == "db"
  number    = "80" == 80
  bool      = "true" == true
  null      = null == null
}
same "!=" {
  equal     = "web" != "web"
  different = "web" != "db"
  number    = "80" != 80
  bool      = "true" != true
  null      = null != null
}

order "<" {
  less  = 8 < 9
  more  = 9 < 8
  equal = 9 < 9
}
order "<=" {
  less  = 8 <= 9
  more  = 9 <= 8
  equal = 9 <= 9
}
order ">" {
  less  = 8 > 9
  more  = 9 > 8
  equal = 9 > 9
}
order ">=" {
  less  = 8 >= 9
  more  = 9 >= 8
  equal = 9 >= 9
}

compute {
  sum        = 0.5 + 8
  long_sum   = 2.71828182845904523536028747135266249775724709369995957496696763 + 1
  difference = 8 - 0.5
  below_zero = 0.5 - 8
  negative   = -8
  product    = 1.5 * 6
  quotient   = 3 / 8
  third      = 1 / 3
  rest       = 17 % 5
  long_rest  = 17 % 5.1
  order      = 1 + 2 * 3 - 4 / 2
  grouped    = (1 + 2) * 3
}

both "&&" {
  yes_yes = true && true
  yes_no  = true && false
  no_yes  = false && true
  no_no   = false && false
}
both "||" {
  yes_yes = true || true
  yes_no  = true || false
  no_yes  = false || true
  no_no   = false || false
}
turned "!" {
  yes = !true
  no  = !false
}

choice {
  yes = 1 < 2 ? "first" : "second"
  no  = 1 > 2 ? "first" : "second"
}

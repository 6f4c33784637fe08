result_type = object({
  block    = map(object({
    last = number
  }))
  first    = string
  greeting = string
})

result = {
  block    = {
    in = {
      last = 4
    }
  }
  first    = "Grace"
  greeting = "hello Ada, Grace"
}

traversals {
  expect {
    ref = person.name

    range {
      from {
        line   = 1
        column = 21
        byte   = 20
      }
      to {
        line   = 1
        column = 32
        byte   = 31
      }
    }
  }
  expect {
    ref = others

    range {
      from {
        line   = 1
        column = 47
        byte   = 46
      }
      to {
        line   = 1
        column = 53
        byte   = 52
      }
    }
  }
  expect {
    ref = others[0]["name"]

    range {
      from {
        line   = 2
        column = 12
        byte   = 79
      }
      to {
        line   = 2
        column = 29
        byte   = 96
      }
    }
  }
  expect {
    ref = person.age

    range {
      from {
        line   = 4
        column = 10
        byte   = 119
      }
      to {
        line   = 4
        column = 20
        byte   = 129
      }
    }
  }
  expect {
    ref = limit

    range {
      from {
        line   = 4
        column = 23
        byte   = 132
      }
      to {
        line   = 4
        column = 28
        byte   = 137
      }
    }
  }
}

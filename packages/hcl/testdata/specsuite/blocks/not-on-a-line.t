diagnostics {
  error {
    from {
      line   = 1
      column = 18
      byte   = 17
    }
    to {
      line   = 1
      column = 19
      byte   = 18
    }
  }
  error {
    from {
      line   = 2
      column = 18
      byte   = 49
    }
    to {
      line   = 3
      column = 1
      byte   = 50
    }
  }
  error {
    from {
      line   = 4
      column = 18
      byte   = 69
    }
    to {
      line   = 5
      column = 1
      byte   = 70
    }
  }
  error {
    from {
      line   = 6
      column = 18
      byte   = 102
    }
    to {
      line   = 7
      column = 1
      byte   = 103
    }
  }
  error {
    from {
      line   = 9
      column = 10
      byte   = 127
    }
    to {
      line   = 9
      column = 17
      byte   = 134
    }
  }
}

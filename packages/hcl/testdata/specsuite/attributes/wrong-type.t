diagnostics {
  error {
    from {
      line   = 1
      column = 8
      byte   = 7
    }
    to {
      line   = 1
      column = 16
      byte   = 15
    }
  }
  error {
    from {
      line   = 2
      column = 8
      byte   = 23
    }
    to {
      line   = 2
      column = 10
      byte   = 25
    }
  }
}

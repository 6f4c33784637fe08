diagnostics {
  error {
    # The spec has no argument of that name.
    from {
      line   = 2
      column = 1
      byte   = 19
    }
    to {
      line   = 2
      column = 5
      byte   = 23
    }
  }
}

diagnostics {
  error {
    # A comma does not end an argument; a new line does.
    from {
      line   = 1
      column = 11
      byte   = 11
    }
    to {
      line   = 1
      column = 12
      byte   = 12
    }
  }
}

diagnostics {
  error {
    from {
      line   = 6
      column = 6
      byte   = 57
    }
    to {
      line   = 6
      column = 9
      byte   = 60
    }
  }
  error {
    from {
      line   = 7
      column = 7
      byte   = 70
    }
    to {
      line   = 7
      column = 8
      byte   = 71
    }
  }
  error {
    from {
      line   = 3
      column = 6
      byte   = 21
    }
    to {
      line   = 3
      column = 6
      byte   = 21
    }
  }
  error {
    from {
      line   = 1
      column = 1
      byte   = 0
    }
    to {
      line   = 1
      column = 1
      byte   = 0
    }
  }
  error {
    from {
      line   = 5
      column = 1
      byte   = 38
    }
    to {
      line   = 5
      column = 11
      byte   = 48
    }
  }
}

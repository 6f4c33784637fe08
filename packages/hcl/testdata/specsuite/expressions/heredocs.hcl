kept = {
  flat = <<END
one
two
END
  indented = <<END
    one
      two
  END
  filled = <<END
    one
    ${who}
  END
  gaps = <<END
one

two
END
  marker_in_text = <<END
    no END
    END of it
  END
  escaped = <<END
a\tb $${c} %%{d}
END
  empty = <<END
END
}
flush = {
  flat = <<-END
one
two
END
  indented = <<-END
    one
      two
  END
  less = <<-END
    one
  two
      three
  END
  filled = <<-END
    one
    ${who}
  END
  filled_deeper = <<-END
    one
      ${who}
  END
  filled_less = <<-END
    one
  ${indented_who}
  END
  tab = <<-END
	one
  two
  END
  wide = <<-END
   one
    two
  END
  gaps = <<-END
    one

    two
  END
}

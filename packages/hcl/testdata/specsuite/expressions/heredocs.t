result_type = object({
  flush = map(string)
  kept  = map(string)
})

result = {
  flush = {
    filled        = "one\ntwo\n"
    filled_deeper = "one\n  two\n"
    filled_less   = "  one\n  two\n"
    flat          = "one\ntwo\n"
    gaps          = "one\n\ntwo\n"
    indented      = "one\n  two\n"
    less          = "  one\ntwo\n    three\n"
    tab           = "one\n two\n"
    wide          = "one\n two\n"
  }
  kept  = {
    empty          = ""
    escaped        = "a\\tb $${c} %%{d}\n"
    filled         = "    one\n    two\n"
    flat           = "one\ntwo\n"
    gaps           = "one\n\ntwo\n"
    indented       = "    one\n      two\n"
    marker_in_text = "    no END\n    END of it\n"
  }
}

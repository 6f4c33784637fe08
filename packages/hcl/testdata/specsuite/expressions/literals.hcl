# Integers and fractions, and one that no double could hold.
port    = 8500
ratio   = 0.25
precise = 2.71828182845904523536028747135266249775724709369995957496696763

plain     = "widget"
beyond    = "Straße — Жук"
astral    = "👨‍👩‍👦 and 𝄞"
composed  = "Amélie" # written as e and a combining accent
escapes   = "a\tb\n\"c\" \\ \u00e9 \U0001F600"
percent   = "$${not} %%{a template}"

# Words with a meaning of their own are names where names stand.
true  = true
false = false
null  = null

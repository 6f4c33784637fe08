greeting = "hello ${person.name}, ${[for x in others : x.name][0]}"
first    = others[0]["name"]
block "in" {
  last = person.age > limit ? doubled(2) : 0
}

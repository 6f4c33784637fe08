result = "read"

# There is nothing to refer from.
traversals {
}

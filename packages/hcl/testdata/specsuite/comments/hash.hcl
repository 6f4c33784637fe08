# up to the end of the line

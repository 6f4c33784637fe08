zone {}
zone {}
zone {}
server "a" {}
server "a" {}
rack "x" {}
shelf {}

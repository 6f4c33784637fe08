variable "step" {
  default = 1
}

variable "server" {
  type = string
}

data "http" "page" {
  url             = "${var.server}/page/${var.step}"
  request_headers = { Accept = "text/plain" }

  retry {
    attempts = 1
  }

  lifecycle {
    postcondition {
      condition     = self.status_code == 200
      error_message = "no page"
    }
  }
}

output "page" {
  value = data.http.page.response_body
}

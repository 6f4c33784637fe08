variable "step" {
  default = 1
}

resource "tls_private_key" "ca" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}

resource "tls_self_signed_cert" "ca" {
  private_key_pem       = tls_private_key.ca.private_key_pem
  is_ca_certificate     = true
  validity_period_hours = 24 * var.step
  allowed_uses          = ["cert_signing"]

  subject {
    common_name  = "widget ${var.step}"
    organization = "Widgets"
  }
}

data "tls_public_key" "ca" {
  private_key_pem = tls_private_key.ca.private_key_pem
}

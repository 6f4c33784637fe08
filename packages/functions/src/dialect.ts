/**
 * Whose rules hold where the two disagree: Terraform's (`.tf` files), as of version 1.11, or OpenTofu's (`.tofu` files),
 * which has further functions too.
 */
export type Dialect = "terraform" | "opentofu";

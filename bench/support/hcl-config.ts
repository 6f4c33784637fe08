/**
 * A configuration as they are written: variables with descriptions, locals with `for` expressions, resources with nested
 * blocks, tags, templates, heredocs and comments. At least `bytes` long, and the same text for the same length.
 */
export function realisticConfig(bytes: number): string {
  const parts: string[] = [];
  let length = 0;
  for (let i = 0; length < bytes; i++) {
    const part = sections[i % sections.length]!(i);
    parts.push(part);
    length += part.length;
  }
  return parts.join("");
}

const sections: readonly ((i: number) => string)[] = [variables, network, instances, locals, policy, application];

function variables(i: number): string {
  return `variable "region_${i}" {
  description = "The region that everything of this stage is placed in, unless a module says otherwise."
  type        = string
  default     = "eu-central-${i % 3}"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region_${i}))
    error_message = "The region must be written as in eu-central-1."
  }
}

variable "subnets_${i}" {
  type = map(object({
    cidr   = string
    public = optional(bool, false)
    tags   = optional(map(string), {})
  }))
  default = {
    a = { cidr = "10.${i % 256}.0.0/24", public = true }
    b = { cidr = "10.${i % 256}.1.0/24" }
    c = { cidr = "10.${i % 256}.2.0/24" }
  }
}

`;
}

function network(i: number): string {
  return `# Network of stage ${i}. Addresses are handed out by the table above.
resource "aws_vpc" "stage_${i}" {
  cidr_block           = cidrsubnet("10.0.0.0/8", 8, ${i % 256})
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = merge(local.tags, {
    Name        = "vpc-\${var.stage}-${i}"
    Environment = var.stage
  })
}

resource "aws_subnet" "stage_${i}" {
  for_each = var.subnets_${i}

  vpc_id                  = aws_vpc.stage_${i}.id
  cidr_block              = each.value.cidr
  availability_zone       = element(data.aws_availability_zones.available.names, index(keys(var.subnets_${i}), each.key))
  map_public_ip_on_launch = each.value.public

  tags = merge(each.value.tags, local.tags, { Name = "\${var.stage}-${i}-\${each.key}" })

  lifecycle {
    ignore_changes = [tags["LastScanned"], availability_zone]
  }
}

`;
}

function instances(i: number): string {
  return `resource "aws_instance" "web_${i}" {
  count = var.stage == "production" ? 3 : 1

  ami                    = data.aws_ami.ubuntu.id
  instance_type          = lookup(local.sizes, var.stage, "t3.micro")
  subnet_id              = values(aws_subnet.stage_${i})[count.index % length(var.subnets_${i})].id
  vpc_security_group_ids = [aws_security_group.web.id, aws_security_group.ssh.id]

  root_block_device {
    volume_size = 20 + 10 * count.index
    volume_type = "gp3"
    encrypted   = true
  }

  dynamic "ebs_block_device" {
    for_each = { for name, disk in local.disks : name => disk if disk.attached && disk.size > 0 }
    content {
      device_name = ebs_block_device.value.device
      volume_size = ebs_block_device.value.size
    }
  }

  user_data = <<-EOT
    #!/bin/sh
    set -eu
    hostname web-${i}-\${count.index}.\${var.domain}
    %{for package in local.packages~}
    apt-get install -y \${package}
    %{endfor~}
    echo "ready" > /var/run/ready
  EOT

  tags = { Name = "web-${i}-\${count.index}", Role = "web" } // shown in the console
}

`;
}

function locals(i: number): string {
  return `locals {
  addresses_${i} = aws_instance.web_${i}[*].private_ip
  by_zone_${i}   = { for instance in aws_instance.web_${i} : instance.availability_zone => instance.id... }
  ports_${i}     = [for port in concat([80, 443], var.extra_ports) : port if port > 0 && port < 65536]
  price_${i}     = (length(local.addresses_${i}) * 0.0416 + 2.5) * 730
  title_${i}     = "Stage ${i}: \${upper(var.stage)} (\${length(local.addresses_${i})} of \${max(3, ${i})})"
  enabled_${i}   = !var.disabled && (var.stage == "production" || var.stage == "staging")
}

`;
}

function policy(i: number): string {
  return `data "aws_iam_policy_document" "read_${i}" {
  statement {
    sid       = "Read${i}"
    effect    = "Allow"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = ["arn:aws:s3:::\${var.bucket}", "arn:aws:s3:::\${var.bucket}/*"]

    condition {
      test     = "StringLike"
      variable = "aws:PrincipalArn"
      values   = ["arn:aws:iam::*:role/\${var.stage}-*"]
    }
  }
}

`;
}

function application(i: number): string {
  return `/*
 * The application itself. Its settings come from the key-value store,
 * its secrets from the secrets server.
 */
module "application_${i}" {
  source  = "./modules/application"
  version = "~> 1.${i % 10}"

  name         = "app-${i}"
  replicas     = var.replicas["app-${i}"]
  image        = "registry.example.com/team/app-${i}:\${var.versions.app}"
  environment  = { LOG_LEVEL = "info", PORT = tostring(8000 + ${i % 1000}), HOME = "/srv/app", GREETING = "hello \\"world\\"\\n" }
  depends_on   = [aws_instance.web_${Math.max(0, i - 3)}, module.database]
  health_check = jsonencode({ path = "/health", interval = 10, codes = [200, 204] })
}

output "address_${i}" {
  value       = one(module.application_${i}[*].address)
  description = "Where the application answers"
  sensitive   = false
}

`;
}

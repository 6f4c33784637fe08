terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "endpoint" {
  type = string
}

variable "subnets" {
  type    = number
  default = 3
}

variable "stage" {
  type    = string
  default = "dev"
}

variable "hash_key" {
  type    = string
  default = "id"
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true

  endpoints {
    dynamodb = var.endpoint
    ec2      = var.endpoint
    iam      = var.endpoint
    s3       = var.endpoint
    sqs      = var.endpoint
    ssm      = var.endpoint
    sts      = var.endpoint
  }

  default_tags {
    tags = { managed = "by-plan" }
  }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "main-${var.stage}" }
}

resource "aws_subnet" "main" {
  count             = var.subnets
  vpc_id            = aws_vpc.main.id
  availability_zone = "eu-central-1a"
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  tags              = { Name = "subnet-${count.index}" }
}

resource "aws_security_group" "web" {
  name        = "web"
  description = "Web traffic"
  vpc_id      = aws_vpc.main.id

  dynamic "ingress" {
    for_each = toset(["80", "443"])
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "db" {
  name        = "db"
  description = "Database"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group_rule" "inside" {
  type                     = "ingress"
  from_port                = 5432
  to_port                  = 5432
  protocol                 = "tcp"
  security_group_id        = aws_security_group.db.id
  source_security_group_id = aws_security_group.web.id
}

resource "aws_s3_bucket" "data" {
  bucket        = "widget-data"
  force_destroy = true
  tags          = { stage = var.stage }
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_object" "hello" {
  bucket  = aws_s3_bucket.data.id
  key     = "hello.txt"
  content = "hello ${var.stage}"

  depends_on = [aws_s3_bucket_versioning.data]
}

resource "aws_dynamodb_table" "items" {
  name         = "items"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = var.hash_key
  tags         = { stage = var.stage }

  attribute {
    name = var.hash_key
    type = "S"
  }
}

resource "aws_sqs_queue" "work" {
  name                       = "work"
  visibility_timeout_seconds = 45

  lifecycle {
    ignore_changes = [visibility_timeout_seconds]
  }
}

resource "aws_ssm_parameter" "setting" {
  for_each = {
    name  = { type = "String", value = "widget" }
    stage = { type = "String", value = var.stage }
    token = { type = "SecureString", value = "s3cret-${var.stage}" }
  }

  name  = "/widget/${each.key}"
  type  = each.value.type
  value = each.value.value
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.data.arn}/*"]
  }
}

resource "aws_iam_role" "app" {
  name               = "app"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_policy" "read" {
  name   = "read-data"
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.app.name
  policy_arn = aws_iam_policy.read.arn
}

output "vpc" {
  value = aws_vpc.main.id
}

output "subnets" {
  value = aws_subnet.main[*].cidr_block
}

output "parameters" {
  value     = { for name, parameter in aws_ssm_parameter.setting : name => parameter.value }
  sensitive = true
}

# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# Settings that would lead the clients to a real account, and none of these is asked.
environment_cloud() { printf '%s\n' AWS_EC2_METADATA_DISABLED=true; }

checks_cloud() {
  versions << 'END'
    AWS CLI     | aws --version                                  | ^aws-cli/2\.[0-9]+
    kubectl     | kubectl version --client                       | Client Version: v1\.[0-9]+
END
  check "kubectl reads a manifest" output_matches \
    'kubectl create deployment web --image=nginx --dry-run=client --output=yaml' '^kind: Deployment$'
  check "kubectl says that it has no cluster" output_matches 'kubectl --request-timeout=2s get pods 2>&1 || true' 'refused|server'
  check "the AWS CLI has its services" output_matches 'aws ec2 describe-instances --generate-cli-skeleton' '"InstanceIds"'
  check "the AWS CLI signs and sends" output_matches \
    'AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x aws --region eu-west-1 --endpoint-url http://127.0.0.1:9 --cli-connect-timeout 2 s3 ls 2>&1 || true' \
    'Could not connect to the endpoint URL'
  check "the AWS CLI asks for credentials" output_matches 'aws --region eu-west-1 s3 ls 2>&1 || true' 'Unable to locate credentials'
  check "the AWS CLI has its help" output_matches 'aws s3 cp help | cat' 'SYNOPSIS'
  tool_or_label terraform 'terraform version' '^Terraform v1\.'
  tool_or_label gcloud 'gcloud version' '^Google Cloud SDK [0-9]+'
}

# tool_or_label NAME COMMAND REGEX: what is there works, and what is missing is told by the image's label
tool_or_label() {
  if [[ -n $(label "dev.agentpod.missing.$1") ]]; then
    check "$1 is missing, as the image's label tells" output_matches "command -v $1 || echo missing" '^missing$'
  else
    version_is "$@"
  fi
}

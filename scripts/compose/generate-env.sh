#!/bin/sh
# Writes the secrets that docker-compose.yml asks for into a file (".env" unless named), each made for this installation
# alone. An existing file is left as it is. Needs nothing but a POSIX shell.
set -eu
file=${1:-.env}
if [ -e "$file" ]; then
  echo "$file is there already: nothing was changed. Delete it to make new secrets." >&2
  exit 1
fi

# nats-server reads a password from its environment as a value of its own language: it begins with a letter, and has
# letters and digits only.
secret() {
  printf 's%s' "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
}

umask 077
{
  echo "LAKEHOUSE_TOKEN=$(secret)"
  for role in OPERATOR GATEWAY INGEST EMBED INDEX PLAYBOOK OBSERVER PRODUCER CLUSTER; do
    echo "LAKEHOUSE_NATS_PASSWORD_$role=$(secret)"
  done
  echo "AWS_ACCESS_KEY_ID=$(secret | cut -c1-20)"
  echo "AWS_SECRET_ACCESS_KEY=$(secret)"
} > "$file"
echo "wrote $file" >&2

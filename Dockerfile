# One image for every process of the system: what it does is the command that it is given.

FROM node:24.18.0-bookworm-slim AS build
WORKDIR /app
# The index is a native module: npm compiles it, with the headers that the base image brings.
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
ENV npm_config_nodedir=/usr/local ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY schemas schemas
COPY streams streams
COPY workers workers
COPY gateway gateway
COPY scripts scripts
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24.18.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY NOTICE ./
# An audit looks for what tells how distillation is made.
COPY workers/distillation/README.md workers/distillation/README.md
# A new volume takes its owner from here: every folder that a container writes to belongs to the one user of all of them.
RUN mkdir -p /data/tmp /volumes/nats /volumes/nats-1 /volumes/nats-2 /volumes/nats-3 /volumes/objects /volumes/models \
  && chown -R 10001:10001 /data /volumes
USER 10001:10001
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/scripts/lakehouse.js", "--help"]

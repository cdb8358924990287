# The image of the service. Built with everything, run with Node, the compiled code, its production
# packages and the migrations. docs/deployment.md says what of it was executed where.

FROM docker.io/library/node:24.21.0-trixie-slim AS base
WORKDIR /app

# The packages beside the service are not needed here: their folder is not even sent.
FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --workspaces=false
COPY prisma.config.ts tsconfig.json tsconfig.build.json openapi.yaml ./
COPY scripts scripts
COPY prisma prisma
COPY src src
# In a checkout dist is a link to the newest build; here it is what the link leads to.
RUN npm run build && cp -rL dist /compiled

# "optional" is the embedded database.
FROM base AS packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --workspaces=false --omit=dev --omit=optional

FROM base AS runtime
LABEL org.opencontainers.image.title="Lineage" \
      org.opencontainers.image.description="A standalone OAuth 2.0 token service" \
      org.opencontainers.image.licenses="MIT"
# The package managers of the base image have nothing to do here.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn-* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg
COPY package.json ./
COPY prisma/migrations prisma/migrations
COPY --from=packages /app/node_modules node_modules
COPY --from=build /compiled dist

# Passwords are hashed on CPUs - 1 of libuv's threads, and on 7 at most: 19 MiB each.
ENV HOST=0.0.0.0 \
    LINEAGE_SHUTDOWN_DELAY_SECONDS=5 \
    UV_THREADPOOL_SIZE=8
# The user "node"; everything above belongs to root, and nothing is ever written.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "const { LINEAGE_TLS_CERT_FILE: tls, LINEAGE_OPS_PORT, PORT } = process.env; require(tls ? 'node:https' : 'node:http').get({ host: '127.0.0.1', port: LINEAGE_OPS_PORT || PORT || 3000, path: '/livez', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "dist/main.js"]

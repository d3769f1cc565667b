# syntax=docker/dockerfile:1
# One image for all services, and one with the test streamer as well:
#   docker build -t pixelfleet:0.1.0 .
#   docker build -t pixelfleet-streamer:0.1.0 --target streamer .
# `make test` runs the same steps (scripts/image) outside Docker and limits what the image contains.
ARG PYTHON=3.13
ARG NODE=24

FROM node:${NODE}-slim AS page
WORKDIR /src/player
COPY player/package.json player/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY player/ ./
RUN npm run build

FROM python:${PYTHON}-slim AS tools
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY scripts/image scripts/image
COPY requirements/ requirements/

FROM tools AS wheel
COPY pyproject.toml LICENSE ./
COPY services/ services/
COPY --from=page /src/services/router/page/ services/router/page/
RUN scripts/image wheel /wheels

FROM tools AS service-packages
RUN scripts/image packages requirements/runtime.txt /opt/pixelfleet
COPY --from=wheel /wheels/ /wheels/
RUN scripts/image project /wheels /opt/pixelfleet

FROM tools AS streamer-packages
RUN scripts/image packages requirements/streamer.txt /opt/pixelfleet
COPY --from=wheel /wheels/ /wheels/
RUN scripts/image project /wheels /opt/pixelfleet

# The common base of both images: Python and a user without privileges. Nothing is written to the root file system,
# so it can be mounted read-only.
FROM python:${PYTHON}-slim AS base
LABEL org.opencontainers.image.title="Pixelfleet" \
      org.opencontainers.image.description="Streams GPU applications to browsers: signalling, matchmaking, the public entry." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
# A volume that is mounted here belongs to the user.
RUN groupadd --system --gid 10001 pixelfleet \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin pixelfleet \
 && install --directory --owner=10001 --group=10001 /run/pixelfleet
ENV PATH=/opt/pixelfleet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["pixelfleet"]
CMD ["--help"]
# Requests /livez on the default ports; PIXELFLEET_HEALTH_URL is another URL to request.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["python", "-m", "pixelfleet_cli.health"]

FROM base AS streamer
COPY --from=streamer-packages /opt/pixelfleet /opt/pixelfleet

FROM base AS services
COPY --from=service-packages /opt/pixelfleet /opt/pixelfleet

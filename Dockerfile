# One image for every process; the command says which: api, worker, migrate, doctor ...
# (the commands of `recourse`). Pin the base image by digest where you build for real.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/recourse
COPY requirements-production.lock /build/requirements-production.lock
RUN /opt/recourse/bin/pip install --require-hashes -r /build/requirements-production.lock \
 && /opt/recourse/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin recourse \
 && install -d -o recourse -g recourse /var/lib/recourse

COPY --from=build /opt/recourse /opt/recourse
WORKDIR /srv/recourse
COPY alembic.ini pyproject.toml ./
COPY migrations ./migrations
COPY letters ./letters
COPY app ./app
COPY workers ./workers
COPY ops ./ops

ENV PATH=/opt/recourse/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp/cache \
    RECOURSE_ENVIRONMENT=production \
    RECOURSE_API_HOST=0.0.0.0 \
    RECOURSE_API_PORT=8000 \
    RECOURSE_DATA_DIR=/var/lib/recourse
USER recourse
VOLUME /var/lib/recourse
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-m", "ops.healthcheck", "api"]
ENTRYPOINT ["python", "-m", "ops.cli"]
CMD ["api"]

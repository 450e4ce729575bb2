# One image for web, worker and beat; the command decides. Unbuilt so far, see docs/operations.md.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
COPY pyproject.toml ./
RUN /venv/bin/pip install '.[postgres,redis]'
COPY manage.py ./
COPY accounts ./accounts
COPY apple ./apple
COPY core ./core
COPY devices ./devices
COPY enrollment ./enrollment
COPY locale ./locale
COPY mdm ./mdm
COPY simulator ./simulator
COPY static ./static
COPY templates ./templates
# The keys that settings make for this one command stay in a folder that is thrown away.
RUN MUSTER_DATA_DIR=/tmp/build MUSTER_STATIC_DIR=/app/collected \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 muster \
    && useradd --system --uid 10001 --gid muster --home-dir /data --shell /usr/sbin/nologin muster \
    && install -d -o muster -g muster -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MUSTER_DATA_DIR=/data \
    MUSTER_STATIC_DIR=/app/collected
USER muster
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/healthz', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--http", "1", \
     "--workers", "2", "--blocking-threads", "4", "--no-ws", "--respawn-failed-workers", \
     "--workers-kill-timeout", "10", "--log-level", "warning", "mdm.wsgi:application"]

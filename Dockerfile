# One image for all of Mailroom's processes: `command: [web]`, `[worker-critical]` and so on (config/processes.py).
FROM python:3.12.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

# The base image has no compiled standard library, and processes cannot write to the image: each start would compile it.
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x site-packages "$(python -c 'import os; print(os.path.dirname(os.__file__))')"

COPY manage.py ./
COPY config config
COPY accounts accounts
COPY notifications notifications
COPY templates templates
COPY locale locale
# `chmod`: in a checkout made with umask 077, only the owner can read the files.
RUN SECRET_KEY=only-for-collecting-static-files STATIC_ROOT=/app/staticfiles python manage.py collectstatic --no-input -v 0 \
    && python -m compileall -q --invalidation-mode unchecked-hash manage.py config accounts notifications \
    && chmod -R a+rX /app \
    && useradd --system --uid 10001 --no-create-home mailroom \
    && install -d -o mailroom -m 700 /var/lib/flower

# Processes write only here; the rest of the file system may be read-only.
ENV MAILROOM_RUN_FOLDER=/run/mailroom
USER mailroom
ENTRYPOINT ["python", "-m", "config.run"]
CMD ["web"]

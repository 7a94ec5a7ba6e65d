# docker build -t chatapp .                          CPU, bundled model fetched at first start
# docker build --build-arg WEIGHTS=baked -t chatapp .    the same, weights inside the image
# docker build --build-arg TORCH_INDEX= -t chatapp .     CUDA build of torch, for docker run --gpus all
#
# docker run -p 7860:7860 -v chatapp-data:/home/user/app/data chatapp
FROM python:3.11-slim

# Hugging Face Spaces run every image as user 1000 and expect a writable home.
RUN useradd --create-home --uid 1000 user
USER 1000
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /home/user/app

# The packages come first: a change of code does not install torch again.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY --chown=1000:1000 requirements.txt ./
RUN PIP_EXTRA_INDEX_URL=$TORCH_INDEX pip install --user --no-cache-dir -r requirements.txt

COPY --chown=1000:1000 app.py ./
COPY --chown=1000:1000 chatapp ./chatapp
COPY --chown=1000:1000 prompts ./prompts

# "baked" prepares the bundled model now; "mounted" leaves it to the data volume.
ARG WEIGHTS=mounted
RUN mkdir -p data && if [ "$WEIGHTS" = baked ]; then python -m chatapp models prepare; fi
VOLUME /home/user/app/data

ENV CHATAPP_HOST=0.0.0.0
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=10m --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/readyz', timeout=4)"]
CMD ["python", "app.py"]

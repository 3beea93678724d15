#!/bin/sh
# Run one stage in this folder, as dvc.yaml says: sh pipeline/stage.sh NAME
# By the first Python of: LIKENESS_PYTHON; .venv here, or where DVC was called (an experiment's folder has none); PATH.
for folder in . "${DVC_ROOT:-.}" "${DVC_ROOT:-.}/.."; do
    found="$folder/.venv/bin/python"
    [ -n "$LIKENESS_PYTHON" ] || [ ! -x "$found" ] || LIKENESS_PYTHON=$found
done
if ! command -v "${LIKENESS_PYTHON:-python}" >/dev/null; then
    echo "expected a Python with Likeness; got no .venv here and no ${LIKENESS_PYTHON:-python} on the PATH;" \
        "run \`make .venv/.ready\`, or set LIKENESS_PYTHON" >&2
    exit 127
fi
exec "${LIKENESS_PYTHON:-python}" -m pipeline "$@"

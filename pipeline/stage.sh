#!/bin/sh
# Run one stage in this folder, as dvc.yaml says: sh pipeline/stage.sh NAME
# By the first Python of: LIKENESS_PYTHON; .venv here, or where DVC was called (an experiment's folder has none); PATH.
for folder in . "${DVC_ROOT:-.}" "${DVC_ROOT:-.}/.."; do
    found="$folder/.venv/bin/python"
    [ -n "$LIKENESS_PYTHON" ] || [ ! -x "$found" ] || LIKENESS_PYTHON=$found
done
exec "${LIKENESS_PYTHON:-python}" -m pipeline "$@"

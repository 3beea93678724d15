"""The model registry in MLflow: register, look up, promote and roll back versions."""

"""Build the image and run infra/compose.yaml's parts from it where no engine starts containers."""

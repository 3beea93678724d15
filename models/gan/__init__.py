"""The adversarial restorer: generator, discriminator, training module, ONNX export."""

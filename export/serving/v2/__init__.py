"""The Open Inference Protocol, version 2, as KServe expects it, beside the API of TensorFlow Serving."""

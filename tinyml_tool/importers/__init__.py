"""From other formats, and from any float `.tflite`, to one that can be quantized and deployed."""

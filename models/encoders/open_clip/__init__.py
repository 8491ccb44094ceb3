"""Any model of open_clip: in torch on a GPU, exported once to ONNX Runtime on a CPU."""

"""Values and ports that every room shares; no input or output, no framework, nothing of ours above it."""

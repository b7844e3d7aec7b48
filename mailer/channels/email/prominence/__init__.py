"""Whether the way out of a finished message is easily noticed, read from the parts as they arrive (promise T19)."""

"""E-mail: which addresses exist, how a message looks, is built and handed over."""

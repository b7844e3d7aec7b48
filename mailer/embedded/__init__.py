"""The private PostgreSQL and Redis that come with the product, and what keeps its processes alive."""

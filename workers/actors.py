"""One actor a job: it opens one unit of work and calls one verb."""

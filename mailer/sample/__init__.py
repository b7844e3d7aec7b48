"""Made-up lists, people and past campaigns to look around in; one press removes all of it and nothing else."""

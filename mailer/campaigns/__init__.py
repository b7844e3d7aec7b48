"""One mailing, from the first word to the last receipt: compose, check, schedule, launch, pause, close."""

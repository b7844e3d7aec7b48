"""`python -m mailer.cli`: how the product starts its own parts, wherever the console script lies."""

from mailer.cli.main import main

main()

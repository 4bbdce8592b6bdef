"""Main: ``python -m hepaflux`` is the command line."""

from hepaflux.cli import main

if __name__ == "__main__":
    main()

"""`python -m fargatectl`."""

from fargatectl.cli.main import main

if __name__ == "__main__":
    main()

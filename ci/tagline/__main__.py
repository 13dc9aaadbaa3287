"""`python -m tagline` is the command `tagline`."""

from tagline.cli.main import main

if __name__ == "__main__":
    main()

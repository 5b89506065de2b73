"""``python -m zpfit``."""

from zpfit.cli import main

if __name__ == "__main__":
    main()

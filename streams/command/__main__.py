"""``python -m streams.command``: the command where no script is installed, and for child processes."""

from streams.command import main

if __name__ == "__main__":
    main(prog_name="medlist")

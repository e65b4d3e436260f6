"""`python -m deploy.cli`: the command line `comptoir` of a checkout."""

from deploy.cli.app import main

if __name__ == "__main__":
    main()

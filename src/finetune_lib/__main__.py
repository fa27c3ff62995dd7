"""`python -m finetune_lib`: the command line."""

import sys

from finetune_lib.cli import main

if __name__ == "__main__":
    sys.exit(main())

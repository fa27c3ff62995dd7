"""`python -m finetune_lib.cli`."""

import sys

from finetune_lib.cli import main

sys.exit(main())

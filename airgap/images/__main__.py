"""`python3 airgap/images VERB ...`: runs the package `images`, from any folder."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from images.cli import main

    main(sys.argv[1:])

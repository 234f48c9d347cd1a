# The Pythons that build layers.
# BUILDER   runs pip and the build's own code: the project's environment where there is one.
# PYTHON313 is one of the version that Lambda runs; empty where the machine has none.
# A layer is built without it, but only it can compile .pyc files that Lambda's Python will read.

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
BUILDER := $(firstword $(wildcard $(ROOT)/.venv/bin/python) python3)
PYTHON313 := $(shell for python in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13; do \
  "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$$python" && break; \
done)

# Without .pyc files a cold start takes about twice as long. Unchecked hashes, because zips and builders
# move the times of files, which would make every other kind stale.
define compile_layer
	$(if $(PYTHON313),\
	  "$(PYTHON313)" -m compileall -q -s "$(ARTIFACTS_DIR)" -p /opt --invalidation-mode unchecked-hash "$(ARTIFACTS_DIR)/python",\
	  @echo "No Python 3.13 here: the layer is built without .pyc files, and cold starts take longer.")
endef

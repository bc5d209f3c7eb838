#!/usr/bin/env bash
# Of the three cases of the official one, the third: any other command is run as it is.
set -eo pipefail
exec "$@"

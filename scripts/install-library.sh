#!/bin/sh
# install-library.sh SOURCE DESTINATION: installs the library by renaming it. Backends that have mapped the old library
# keep it, and no new backend can load an incomplete file.
set -eu
install -m 755 "$1" "$2.new"
mv -f "$2.new" "$2"

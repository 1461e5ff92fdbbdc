#!/bin/sh
# install-library.sh SOURCE DESTINATION: puts the library in place by a rename, so that a running server
# which has the old one mapped keeps it, and no new backend ever sees half a file.
set -eu
install -m 755 "$1" "$2.new"
mv -f "$2.new" "$2"

#!/bin/sh
# Run by conda build with SP_DIR, where packages of Python go. The package is pure; the library is a package of its own.
set -eu
cp -r bindings/python/dyn "$SP_DIR/dyn"
mkdir "$SP_DIR/dyn/files"
cp examples/data/digits-*.npy "$SP_DIR/dyn/files"

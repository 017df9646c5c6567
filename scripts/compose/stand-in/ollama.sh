#!/bin/sh
# Stands in for Ollama: the shapes of its interface, with the vectors of the embedded model.
exec node /app/dist/scripts/compose/stand-in/ollama.js "$@"

#!/bin/sh
# Stands in for SeaweedFS: as much of S3 as snapshots need, with the same port, key and volume.
exec node /app/dist/scripts/compose/stand-in/s3.js

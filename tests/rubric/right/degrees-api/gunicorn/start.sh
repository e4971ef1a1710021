#!/bin/sh
set -e
exec gunicorn --workers 2 --bind 0.0.0.0:5000 degrees_api:app

#!/bin/sh
echo starting
exec python server.py

#!/bin/sh
echo starting
python server.py

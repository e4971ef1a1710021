#!/bin/sh
exec cowsay somenergia.coop

"""The sample of learners' Dockerfiles has the form that `make agreement` reads."""

from __future__ import annotations

import re

from agreement.agreement import read_sample, static_checks, SAMPLE

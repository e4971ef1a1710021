"""A stored result of a benchmark, as `make bench` writes it."""

RESULT = {
    "schema": "workshop/benchmark/v1",
    "benchmark": "rebuild",
    "date": "2026-11-28T08:30:00Z",
    "commit": "abc123",
    "modified": False,
    "seconds": 61.5,
    "machine": {
        "system": "Debian 12",
        "processor": "A processor",
        "cores": 2,
        "memory": 8_000_000_000,
        "python": "3.11.2",
        "engine": "26.1.5",
        "load": [0.1, 1.9],
    },
    "notes": ["A note."],
    "rows": [
        {
            "figure": "edited",
            "subject": "greeter",
            "values": {"original": [2.0, 1.0, 3.0], "kit": [0.5, 0.5, 0.5]},
        }
    ],
}

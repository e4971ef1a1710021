import cowsay


def main() -> None:
    cowsay.cow("Alderaan")

def main() -> None:
    print("Alderaan")

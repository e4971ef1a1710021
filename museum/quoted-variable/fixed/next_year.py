import os

print("next year:", int(os.environ["YEAR"]) + 1)

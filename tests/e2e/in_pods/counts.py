"""Counts."""

import time

count = 0
while True:
    count += 1
    print(count, flush=True)
    time.sleep(0.2)

"""Whether the machine was too busy with other things for its times to say much."""

import os
import time

# Where more processors than ours are busy, or the same takes so much longer at another moment, times say little.
LOAD = 1.2
SPREAD = 1.4


class Noise:
    """Listens to the machine: how busy it is when this begins, and how long the same small calculation takes."""

    def __init__(self):
        self.load = os.getloadavg()[0]
        self.seconds = []

    def listen(self):
        """Do the calculation once more; between two measurements, while nothing of ours runs."""
        start = time.perf_counter()
        sum(number * number for number in range(1_000_000))
        self.seconds.append(time.perf_counter() - start)

    def get_warnings(self):
        """Return a sentence for each reason to measure again.

        :rtype: list[str]
        """
        warnings = []
        if self.load > LOAD:
            warnings.append(f"The machine was busy with other work (load {self.load:.1f}) when this began.")
        spread = max(self.seconds) / min(self.seconds)
        if spread > SPREAD:
            warnings.append(f"The same calculation took up to {spread:.1f} times as long at other moments.")
        return warnings

"""What is typical of many: medians, and how far two of them can be told apart."""

from math import comb, sqrt
from statistics import NormalDist, median

# With fewer on a side nothing is said.
FEWEST = 8
# From so many on the ranks around the median are normal enough.
MANY = 200

Z95 = NormalDist().inv_cdf(0.975)


def median_error(values):
    """Return the standard error of a median, whatever the distribution.

    Half the distance of two order statistics around it, by their exact binomial chance: Price & Bonett (2002),
    "Distribution-free confidence intervals for difference and ratio of medians", J. Statist. Comput. Simul. 72(2).

    :param list values: numbers, at least :data:`FEWEST`
    :rtype: float
    """
    ordered, count = sorted(values), len(values)
    rank = max(1, round((count + 1) / 2 - sqrt(count)))
    z = 2.0
    if count <= MANY:
        z = NormalDist().inv_cdf(1 - sum(comb(count, below) for below in range(rank)) / 2**count)
    return (ordered[count - rank] - ordered[rank - 1]) / (2 * z)


def difference_of_medians(ours, theirs):
    """Return by how much the median of some lies above that of others, with its 95 % interval.

    :param list ours: numbers
    :param list theirs: numbers of others
    :return: difference, lower and upper bound; None where there are too few of either
    :rtype: tuple[float, float, float] | None
    """
    if min(len(ours), len(theirs)) < FEWEST:
        return None
    difference = median(ours) - median(theirs)
    reach = Z95 * sqrt(median_error(ours) ** 2 + median_error(theirs) ** 2)
    return difference, difference - reach, difference + reach

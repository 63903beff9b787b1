"""A trial with two groups, in plain Python: who is tried on, and what came of it."""

import random
from math import sqrt
from statistics import fmean, variance
from typing import NamedTuple

from .student import t_quantile

# An interval covers the truth in so many of 100 trials, and a trial finds an effect in so many of 100.
CONFIDENCE = 0.95
POWER = 0.80

# Groups that start further apart than so many standard deviations are not alike. Source: What Works Clearinghouse,
# Procedures and Standards Handbook 5.0 (2022), chapter IV, "baseline equivalence".
BALANCE_LIMIT = 0.25

TREATMENT, CONTROL = "treatment", "control"


class Estimate(NamedTuple):
    """An effect and its interval.

    :param float effect: mean of the one group less mean of the other
    :param float low: lower end of the interval, None where the groups are too small or nothing differs within them
    :param float high: upper end, or None
    """

    effect: float
    low: float | None
    high: float | None


def assign(strata, share, seed):
    """Draw who is tried on: by chance, and from each stratum its share.

    Within a stratum the order is drawn; then every so-manieth of all is taken, from a start that is drawn. So each has
    the same chance, and both a stratum and all together get their share to within one. The same seed draws the same.
    Source: Cochran, Sampling Techniques, 3rd edition (1977), 8.1, systematic sampling in random order.

    :param dict strata: stratum, which can be sorted, by id
    :param float share: how many are tried on, between 0 and 1
    :param int seed: of the random numbers
    :return: ``treatment`` or ``control`` by id
    :rtype: dict
    """
    draw = random.Random(seed)
    start = draw.random()
    order = sorted(strata)
    draw.shuffle(order)
    order.sort(key=strata.get)
    return {
        key: TREATMENT if int((place + 1) * share + start) > int(place * share + start) else CONTROL
        for place, key in enumerate(order)
    }


def estimate(strata):
    """Return by how much the mean of one group is above that of the other, with its interval.

    Given what changed for each partner, this is the difference in differences. Who was drawn within strata is compared
    within them: the differences of the strata are weighted by how exactly each is known. The two groups may vary by
    different amounts. With one stratum it is the interval of Welch.

    Sources: B. L. Welch, The generalization of "Student's" problem when several different population variances are
    involved, Biometrika 34 (1947), 28-35, with the degrees of freedom of F. E. Satterthwaite, Biometrics 2 (1946),
    110-114; for strata B. C. Kahan and T. P. Morris, Improper analysis of trials randomised using stratified blocks or
    minimisation, Statistics in Medicine 31 (2012), 328-340.

    :param list strata: for each stratum the numbers of those who were treated, and of the others; those with fewer than
        two of either are taken together
    :rtype: Estimate
    """
    strata = [pair for pair in _join_small(strata) if all(pair)]
    if not strata:
        return Estimate(0.0, None, None)
    weights = [len(treated) * len(others) / (len(treated) + len(others)) for treated, others in strata]
    total = sum(weights)
    effect = sum(
        weight / total * (fmean(treated) - fmean(others))
        for weight, (treated, others) in zip(weights, strata, strict=True)
    )
    groups = [(weight / total, values) for weight, pair in zip(weights, strata, strict=True) for values in pair]
    if min(len(values) for _weight, values in groups) < 2:
        return Estimate(effect, None, None)
    squares = [weight**2 * variance(values) / len(values) for weight, values in groups]
    if not sum(squares):
        return Estimate(effect, None, None)
    freedom = sum(squares) ** 2 / sum(
        square**2 / (len(values) - 1) for square, (_weight, values) in zip(squares, groups, strict=True)
    )
    margin = t_quantile((1 + CONFIDENCE) / 2, freedom) * sqrt(sum(squares))
    return Estimate(effect, effect - margin, effect + margin)


def average_by_owner(rows):
    """Return the averages of the members of each owner: one observation, however many there are.

    :param rows: pairs of owner, and a tuple of numbers of a member
    :return: tuples of numbers, in the order in which the owners come
    :rtype: list[tuple]
    """
    owners = {}
    for owner, numbers in rows:
        owners.setdefault(owner, []).append(numbers)
    return [tuple(fmean(column) for column in zip(*members, strict=True)) for members in owners.values()]


def _join_small(strata):
    """Return the strata, with those together that have fewer than two of either group; left out if still too few."""
    large, rest = [], ([], [])
    for treated, others in strata:
        if min(len(treated), len(others)) > 1:
            large.append((treated, others))
        else:
            rest[0].extend(treated)
            rest[1].extend(others)
    return [*large, rest] if min(map(len, rest)) > 1 or not large else large


def smallest_effect(deviation, treated_count, other_count):
    """Return the smallest effect that so many partners would show in 80 of 100 trials.

    Source: H. S. Bloom, Minimum Detectable Effects, Evaluation Review 19 (1995), 547-556: the t values of the
    confidence and of the power, added, times the standard error of the difference.

    :param float deviation: standard deviation of what changes for a partner
    :param int treated_count: partners of the one group
    :param int other_count: partners of the other group
    :return: in the unit of the deviation; None where there are too few for any
    :rtype: float or None
    """
    if min(treated_count, other_count) < 2:
        return None
    freedom = treated_count + other_count - 2
    multiplier = t_quantile((1 + CONFIDENCE) / 2, freedom) + t_quantile(POWER, freedom)
    return multiplier * deviation * sqrt(1 / treated_count + 1 / other_count)


def standardized_difference(treated, others):
    """Return by how many standard deviations the means of two groups lie apart.

    Source: P. C. Austin, Balance diagnostics for comparing the distribution of baseline covariates between treatment
    groups, Statistics in Medicine 28 (2009), 3083-3107.

    :return: number, 0 where nothing differs within the groups
    :rtype: float
    """
    if min(len(treated), len(others)) < 2:
        return 0.0
    deviation = sqrt((variance(treated) + variance(others)) / 2)
    return (fmean(treated) - fmean(others)) / deviation if deviation else 0.0

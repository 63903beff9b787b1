"""Splitting an amount so that its shares add up to it."""

from decimal import ROUND_DOWN, Decimal


def split(amount, weights, step):
    """Split an amount in proportion to weights; the steps that rounding leaves go to the largest remainders.

    :param Decimal amount: what is split, a multiple of ``step``
    :param list[Decimal] weights: a weight for each share; negative ones give negative shares
    :param Decimal step: the smallest part of the unit
    :return: a share for each weight, whose sum is ``amount``; zeros where the weights add up to nothing
    :rtype: list[Decimal]
    """
    total = sum(weights)
    if not total:
        return [Decimal(0)] * len(weights)
    exact = [amount * weight / total / step for weight in weights]
    steps = [share.to_integral_value(ROUND_DOWN) for share in exact]
    missing = int(amount / step - sum(steps))
    sign = 1 if missing > 0 else -1
    by_remainder = sorted(range(len(weights)), key=lambda at: (-sign * (exact[at] - steps[at]), at))
    for at in by_remainder[: abs(missing)]:
        steps[at] += sign
    return [one * step for one in steps]

"""Student's t distribution, as far as intervals need it, in plain Python."""

from math import exp, lgamma, log, log1p

# The fraction converges in some dozens of steps; so many mean that an argument is none.
MAX_STEPS = 10_000
TINY = 1e-300


def incomplete_beta(x, a, b):
    """Return the regularized incomplete beta function ``I_x(a, b)``.

    By its continued fraction, which converges quickly for ``x < (a + 1) / (a + b + 2)``; beyond that by symmetry.
    Source: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/8.17, 8.17.22 and 8.17.4.

    :param float x: from 0 to 1
    :param float a: above 0
    :param float b: above 0
    :rtype: float
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front / _get_fraction(x, a, b)


def _get_fraction(x, a, b):
    """Return ``1 + d1 / (1 + d2 / (1 + ...))`` of DLMF 8.17.22, evaluated from its beginning.

    Source of the evaluation, "modified Lentz": https://dlmf.nist.gov/3.10, section 3.10(iii).
    """
    value = c = 1.0
    d = 0.0
    for step in range(1, MAX_STEPS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + term * d) or TINY)
        c = (1 + term / c) or TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def t_cdf(t, freedom):
    """Return the probability that a value of the t distribution is at most ``t``.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1 with 26.5.27.

    :param float t: the value
    :param float freedom: degrees of freedom, above 0; they need not be whole
    :rtype: float
    """
    tail = incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return 1 - tail if t > 0 else tail


def t_quantile(probability, freedom):
    """Return the value that the t distribution stays below with a probability: the inverse of :func:`t_cdf`.

    By bisection: slow as such methods go, and right whatever the arguments are.

    :param float probability: between 0 and 1
    :param float freedom: degrees of freedom, above 0
    :rtype: float
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < probability:
        low, high = high, high * 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, freedom) < probability else (low, middle)
    return (low + high) / 2

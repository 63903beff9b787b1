"""The arithmetic of pilots against printed tables, and against simulated partners whose truth is known."""

import random
from math import exp
from statistics import fmean, stdev

from odoo.tests import BaseCase, tagged

from ..tools import trial
from ..tools.student import incomplete_beta, t_cdf, t_quantile

# Quantiles of Student's t distribution by probability and degrees of freedom, as printed in NIST/SEMATECH e-Handbook
# of Statistical Methods, 1.3.6.7.2.
T_TABLE = {
    (0.90, 1): 3.078,
    (0.95, 1): 6.314,
    (0.975, 1): 12.706,
    (0.95, 2): 2.920,
    (0.975, 2): 4.303,
    (0.99, 3): 4.541,
    (0.975, 5): 2.571,
    (0.975, 10): 2.228,
    (0.995, 10): 3.169,
    (0.95, 20): 1.725,
    (0.975, 30): 2.042,
    (0.99, 60): 2.390,
    (0.975, 100): 1.984,
}

SIMULATIONS = 1000
# How many partners, the share that has it, how much partners differ in size, and how much each varies from one period
# to the next: standard deviations of logarithms. With 1.0, the largest of 60 partners is a hundred times the smallest.
CASES = [
    (40, 0.5, 0.5, 0.3),
    (60, 0.5, 0.8, 0.3),
    (60, 0.3, 1.0, 0.3),
    (200, 0.5, 1.0, 0.4),
    (200, 0.25, 0.8, 0.3),
]


@tagged("post_install", "-at_install")
class TestStudent(BaseCase):
    def test_quantiles_are_those_of_the_printed_table(self):
        for (probability, freedom), expected in T_TABLE.items():
            with self.subTest(probability=probability, freedom=freedom):
                self.assertAlmostEqual(t_quantile(probability, freedom), expected, delta=0.00051)

    def test_with_many_degrees_of_freedom_it_is_the_normal_distribution(self):
        self.assertAlmostEqual(t_quantile(0.975, 1e7), 1.959964, places=5)
        self.assertAlmostEqual(t_quantile(0.8, 1e7), 0.841621, places=5)

    def test_both_sides_are_alike_and_the_middle_is_zero(self):
        self.assertAlmostEqual(t_quantile(0.025, 7.5), -t_quantile(0.975, 7.5), places=9)
        self.assertAlmostEqual(t_quantile(0.5, 3), 0, places=9)
        self.assertAlmostEqual(t_cdf(0, 3), 0.5, places=12)

    def test_the_probability_of_a_quantile_is_the_one_asked_for(self):
        for probability in (0.6, 0.9, 0.99, 0.9999):
            for freedom in (1, 2.5, 17, 400):
                with self.subTest(probability=probability, freedom=freedom):
                    self.assertAlmostEqual(t_cdf(t_quantile(probability, freedom), freedom), probability, places=10)

    def test_the_beta_function_is_known_where_it_is_simple(self):
        # I_x(a, 1) = x^a and I_x(1, b) = 1 - (1 - x)^b.
        for x in (0.01, 0.3, 0.5, 0.99):
            self.assertAlmostEqual(incomplete_beta(x, 3, 1), x**3, places=12)
            self.assertAlmostEqual(incomplete_beta(x, 1, 4), 1 - (1 - x) ** 4, places=12)
        self.assertEqual((incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)), (0, 1))
        self.assertAlmostEqual(incomplete_beta(0.5, 6, 6), 0.5, places=12)


@tagged("post_install", "-at_install")
class TestTrial(BaseCase):
    def test_an_interval_is_that_of_a_worked_example(self):
        # Variances 2.5 and 10, five values each: standard error sqrt(2.5), 5.882 degrees of freedom, t 2.459.
        estimate = trial.estimate([([11, 12, 13, 14, 15], [2, 4, 6, 8, 10])])
        self.assertEqual(estimate.effect, 7)
        self.assertAlmostEqual(estimate.low, 7 - 2.4590 * 2.5**0.5, places=3)
        self.assertAlmostEqual(estimate.high, 7 + 2.4590 * 2.5**0.5, places=3)

    def test_too_few_values_or_equal_ones_have_no_interval(self):
        self.assertEqual(trial.estimate([]), (0, None, None))
        self.assertEqual(trial.estimate([([], [1, 2])]), (0, None, None))
        self.assertEqual(trial.estimate([([3], [1, 2])]), (1.5, None, None))
        self.assertEqual(trial.estimate([([3, 3], [1, 1])]), (2, None, None))

    def test_who_was_drawn_within_strata_is_compared_within_them(self):
        # Differences of 1 and 3, and a stratum without anybody to compare with.
        strata = [([1, 2, 3, 4], [0, 0, 1, 1, 1, 1, 4, 4]), ([8, 9], [5, 5, 6, 6]), ([7], [])]
        estimate = trial.estimate(strata)
        self.assertAlmostEqual(estimate.effect, (2 * 1 + 1 * 3) / 3)
        # Of each group: squared weight times variance by number, and degrees of freedom.
        squares = {
            4 / 9 * (5 / 3) / 4: 3,
            4 / 9 * (18 / 7) / 8: 7,
            1 / 9 * (1 / 2) / 2: 1,
            1 / 9 * (1 / 3) / 4: 3,
        }
        freedom = sum(squares) ** 2 / sum(square**2 / number for square, number in squares.items())
        self.assertAlmostEqual(estimate.high - estimate.effect, t_quantile(0.975, freedom) * sum(squares) ** 0.5)

    def test_strata_that_are_too_small_are_taken_together(self):
        strata = [([1, 2], [3, 4]), ([5], [6, 7]), ([8], [9])]
        self.assertEqual(trial.estimate(strata), trial.estimate([([1, 2], [3, 4]), ([5, 8], [6, 7, 9])]))
        self.assertEqual(trial.estimate([([5], [6, 7]), ([8], [])]), trial.estimate([([5, 8], [6, 7])]))

    def test_the_smallest_effect_is_that_of_the_formula(self):
        # t(0.975; 98) + t(0.8; 98) = 1.9845 + 0.8453
        self.assertAlmostEqual(trial.smallest_effect(10, 50, 50), 2.8298 * 10 * (2 / 50) ** 0.5, places=3)
        self.assertLess(trial.smallest_effect(10, 50, 50), trial.smallest_effect(10, 20, 80))
        self.assertIsNone(trial.smallest_effect(10, 1, 99))

    def test_groups_that_lie_apart_are_told_by_their_standard_deviations(self):
        self.assertAlmostEqual(trial.standardized_difference([1, 2, 3], [3, 4, 5]), -2)
        self.assertEqual(trial.standardized_difference([1, 1], [1, 1]), 0)
        self.assertEqual(trial.standardized_difference([1], [1, 5]), 0)

    def test_the_same_seed_draws_the_same_groups_and_another_one_others(self):
        strata = {key: (key % 3,) for key in range(1, 61)}
        first = trial.assign(strata, 0.5, 42)
        self.assertEqual(trial.assign(dict(reversed(strata.items())), 0.5, 42), first)
        self.assertNotEqual(trial.assign(strata, 0.5, 43), first)

    def test_each_stratum_and_all_together_get_their_share_to_within_one(self):
        strata = {key: (key * key % 7,) for key in range(200)}
        for seed in range(50):
            drawn = trial.assign(strata, 0.3, seed)
            counts = [
                (sum(drawn[key] == trial.TREATMENT for key in keys), 0.3 * len(keys))
                for keys in ([key for key in strata if strata[key] == stratum] for stratum in set(strata.values()))
            ]
            self.assertTrue(all(abs(count - share) <= 1 for count, share in counts))
            self.assertLessEqual(abs(sum(count for count, _share in counts) - 60), 1)

    def test_each_partner_has_the_same_chance(self):
        strata = {key: (key > 2,) for key in range(10)}
        times = dict.fromkeys(strata, 0)
        for seed in range(4000):
            for key, arm in trial.assign(strata, 0.3, seed).items():
                times[key] += arm == trial.TREATMENT
        for key, count in times.items():
            # Five standard deviations.
            self.assertAlmostEqual(count / 4000, 0.3, delta=5 * (0.21 / 4000) ** 0.5, msg=str(key))


@tagged("post_install", "-at_install")
class TestSimulatedPilots(BaseCase):
    """A thousand pilots a case: the market grows by 15 percent for all, and some partners are giants."""

    played = {}

    def _simulate(self, draw, case, effect):
        """Return the estimate of a pilot with simulated partners, and the changes of their turnover by stratum.

        :param float effect: what the turnover of each partner rises by
        """
        count, share, spread, noise = case
        sizes = [draw.lognormvariate(0, spread) for _number in range(count)]
        before = [size * draw.lognormvariate(0, noise) for size in sizes]
        ranks = {key: place for place, key in enumerate(sorted(range(count), key=before.__getitem__))}
        drawn = trial.assign({key: (3 * rank // count,) for key, rank in ranks.items()}, share, draw.random())
        strata = [([], []) for _number in range(3)]
        for key, arm in drawn.items():
            now = 1.15 * sizes[key] * draw.lognormvariate(0, noise) + (effect if arm == trial.TREATMENT else 0)
            strata[3 * ranks[key] // count][arm == trial.CONTROL].append(now - before[key])
        return trial.estimate(strata), strata

    def _get_mean(self, case):
        """Return the turnover of a partner on average."""
        _count, _share, spread, noise = case
        return exp((spread**2 + noise**2) / 2)

    def _play(self, case, effect):
        """Return the estimates of all simulated pilots of a case, which several tests look at."""
        if (case, effect) not in self.played:
            draw = random.Random(f"{case} {effect}")
            self.played[case, effect] = [self._simulate(draw, case, effect)[0] for _number in range(SIMULATIONS)]
        return self.played[case, effect]

    def test_the_interval_covers_the_truth_in_93_to_97_of_100_pilots(self):
        for case in CASES:
            effect = 0.1 * self._get_mean(case)
            covered = sum(estimate.low <= effect <= estimate.high for estimate in self._play(case, effect))
            with self.subTest(case=case):
                self.assertGreaterEqual(covered, 0.93 * SIMULATIONS)
                self.assertLessEqual(covered, 0.97 * SIMULATIONS)

    def test_members_of_one_owner_cover_the_truth_as_one_observation_only(self):
        """What an owner goes through meets all its members: one by one, they seem to know more than they do."""
        draw, covered = random.Random(60), {"owners": 0, "members": 0}
        for _number in range(SIMULATIONS):
            groups = self._simulate_owners(draw, owners=60, effect=0.1)
            estimates = {
                "owners": trial.estimate([tuple(self._get_changes(trial.average_by_owner(rows)) for rows in groups)]),
                "members": trial.estimate([tuple(self._get_changes(row for _owner, row in rows) for rows in groups)]),
            }
            for name, estimate in estimates.items():
                covered[name] += estimate.low <= 0.1 <= estimate.high
        self.assertGreaterEqual(covered["owners"], 0.93 * SIMULATIONS)
        self.assertLessEqual(covered["owners"], 0.97 * SIMULATIONS)
        self.assertLess(covered["members"], 0.9 * SIMULATIONS)

    def _simulate_owners(self, draw, owners, effect):
        """Return for both groups the owner, and what it had before and now, of each member."""
        drawn = trial.assign(dict.fromkeys(range(owners), (0,)), 0.5, draw.random())
        groups = ([], [])
        for owner, arm in drawn.items():
            shared = 1.15 * draw.lognormvariate(0, 0.3)
            for _member in range(draw.choice((1, 1, 1, 2, 4, 8))):
                size = draw.lognormvariate(0, 0.8)
                before, now = (size * draw.lognormvariate(0, 0.3) for _time in range(2))
                more = effect if arm == trial.TREATMENT else 0
                groups[arm == trial.CONTROL].append((owner, (before, shared * now + more)))
        return groups

    def _get_changes(self, rows):
        return [now - before for before, now in rows]

    def test_with_few_partners_the_interval_is_rather_too_wide_than_too_narrow(self):
        case = (16, 0.5, 0.8, 0.3)
        covered = sum(estimate.low <= 0 <= estimate.high for estimate in self._play(case, 0))
        self.assertGreaterEqual(covered, 0.94 * SIMULATIONS)

    def test_without_any_effect_at_most_6_of_100_pilots_claim_one(self):
        for case in CASES:
            alarms = sum(not estimate.low <= 0 <= estimate.high for estimate in self._play(case, 0))
            with self.subTest(case=case):
                self.assertLessEqual(alarms, 0.06 * SIMULATIONS)

    def test_the_estimates_are_right_on_average(self):
        for case in CASES:
            effect = 0.1 * self._get_mean(case)
            effects = [estimate.effect for estimate in self._play(case, effect)]
            with self.subTest(case=case):
                self.assertAlmostEqual(fmean(effects), effect, delta=4 * stdev(effects) / SIMULATIONS**0.5)

    def test_an_effect_of_the_size_that_was_told_before_is_found_in_80_of_100_pilots_or_more(self):
        case = (120, 0.5, 0.5, 0.3)
        strata = self._simulate(random.Random(5), (20000, *case[1:]), 0)[1]
        deviation = stdev(change for _treated, others in strata for change in others)
        effect = trial.smallest_effect(deviation, 60, 60)
        found = sum(estimate.low > 0 for estimate in self._play(case, effect))
        # To draw within strata helps a little.
        self.assertGreaterEqual(found / SIMULATIONS, 0.77)
        self.assertLessEqual(found / SIMULATIONS, 0.9)

"""The suite of `store.conformance`, on every backend."""

from __future__ import annotations

from watchkeeper.store.conformance.doubles import Doubles
from watchkeeper.store.conformance.durability import Accepting, Closing, Overload, Packing, Restarts, Threads
from watchkeeper.store.conformance.erasing import ErasedForGood, Erasing
from watchkeeper.store.conformance.expiring import Expiring, Reclaiming, ReclaimingForGood
from watchkeeper.store.conformance.facts import HealedFacts, TraceFacts
from watchkeeper.store.conformance.figures import Facets, Overviews
from watchkeeper.store.conformance.identity import Identity, LateLogs, Verbatim
from watchkeeper.store.conformance.mapping import MappingAnew, MappingKept
from watchkeeper.store.conformance.pricing import CostByHour, PricingAnew, PricingKept
from watchkeeper.store.conformance.reading import Emptiness, Isolation, Scores, Sessions, SpanLists
from watchkeeper.store.conformance.traces import TraceLists, TraceSummaries
from watchkeeper.store.conformance.user_sql import UserSql


class TestIdentity(Identity):
    """One row a key."""


class TestLateLogs(LateLogs):
    """Log records join their span."""


class TestVerbatim(Verbatim):
    """What comes out is what went in."""


class TestTraceFacts(TraceFacts):
    """Facts reach every span."""


class TestHealedFacts(HealedFacts):
    """And hold after a restart."""


class TestDoubles(Doubles):
    """One call, however often it is told."""


class TestSessions(Sessions):
    """What belongs together."""


class TestEmptiness(Emptiness):
    """Nothing found is not an error."""


class TestIsolation(Isolation):
    """Projects do not see each other."""


class TestSpanLists(SpanLists):
    """Lists of spans."""


class TestScores(Scores):
    """Scores."""


class TestTraceSummaries(TraceSummaries):
    """Summaries of traces."""


class TestTraceLists(TraceLists):
    """Lists of traces."""


class TestOverviews(Overviews):
    """Figures."""


class TestFacets(Facets):
    """Facets."""


class TestOverload(Overload):
    """A bounded queue."""


class TestClosing(Closing):
    """Drain, then close."""


class TestAccepting(Accepting):
    """Durable first, stored soon."""


class TestPacking(Packing):
    """Packed is the same."""


class TestRestarts(Restarts):
    """What was acknowledged is there."""


class TestThreads(Threads):
    """Any thread."""


class TestErasing(Erasing):
    """What is erased is gone."""


class TestErasedForGood(ErasedForGood):
    """And stays gone."""


class TestExpiring(Expiring):
    """Deleting by age."""


class TestReclaiming(Reclaiming):
    """Space comes back."""


class TestReclaimingForGood(ReclaimingForGood):
    """And nothing is lost by it."""


class TestUserSql(UserSql):
    """SQL of users."""


class TestPricingAnew(PricingAnew):
    """Costs change, and nothing else."""


class TestCostByHour(CostByHour):
    """Costs by the hour."""


class TestPricingKept(PricingKept):
    """And stay."""


class TestMappingAnew(MappingAnew):
    """Mappings worked out again."""


class TestMappingKept(MappingKept):
    """And durable."""

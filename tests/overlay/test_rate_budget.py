"""The rate limit that a Ray actor keeps for all workers, with an injected clock."""

from __future__ import annotations

from voyageai.integrations.ray import LEASE, MINUTE, BudgetHost
from voyageai.ratelimit import RateLimit


class Clock:
    """A clock that tests advance by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Hosts:
    """A started budget host, and ways to ask it."""

    def __init__(self, limit: RateLimit, caller: str = "maker") -> None:
        self.clock = Clock()
        self.host = BudgetHost(limit, "maker", self.clock)
        assert limit == self.host.begin(caller)

    def ask(self, id_: str, tokens: int = 10, *, again: bool = False) -> float:
        """Return the seconds until a request may ask again."""
        return self.host.wait(id_, "voyage-4", tokens, again=again)[0]

    def until_out(self, *ids: str) -> float:
        """Let requests poll until all are out, and return how long that took."""
        begun, waiting = self.clock.now, list(ids)
        while waiting:
            sleeps = {id_: self.ask(id_) for id_ in waiting}
            waiting = [id_ for id_ in waiting if sleeps[id_] > 0]
            self.clock.now += min((sleeps[id_] for id_ in waiting), default=0)
        return self.clock.now - begun


def test_two_workers_use_the_whole_limit_and_no_more() -> None:
    """A limit in each worker alone would let both use all of it."""
    hosts = Hosts(RateLimit(tpm=60_000))
    sent: list[tuple[float, int]] = []
    workers = {"a": 0, "b": 0}
    while hosts.clock.now < 1000 + 30 * MINUTE:
        sleeps = []
        for worker, number in workers.items():
            seconds = hosts.ask(f"{worker}{number}", 2000)
            if seconds:
                sleeps.append(seconds)
                continue
            hosts.host.correct(f"{worker}{number}", 2000)
            sent.append((hosts.clock.now, 2000))
            workers[worker] += 1
        hosts.clock.now += min(sleeps, default=0.05)
    for start, _ in sent:
        assert sum(tokens for at, tokens in sent if start <= at < start + MINUTE) <= 60_000
    late = sum(tokens for at, tokens in sent if 1000 + MINUTE <= at)
    assert late >= 0.97 * 60_000 * 29
    assert min(workers.values()) > 0


def test_a_refusal_slows_all_workers_down() -> None:
    """The server tells only one worker of the lower limit."""
    hosts = Hosts(RateLimit(rpm=100))
    assert 0 == hosts.ask("one") == hosts.ask("two")
    hosts.host.slow_down("one", 30)

    assert hosts.ask("three") > 0
    hosts.clock.now += 29
    assert hosts.ask("three") > 0
    hosts.clock.now += 2
    assert 0 == hosts.ask("three")


def test_what_an_answer_says_corrects_the_estimate() -> None:
    """A request counts with its real tokens once they are known."""
    hosts = Hosts(RateLimit(tpm=1000))
    assert 0 == hosts.ask("one", 500)
    assert hosts.ask("two", 100) > 0
    hosts.host.correct("one", 100)
    assert 0 == hosts.ask("two", 100)


def test_a_poll_that_comes_twice_lets_out_one_request() -> None:
    """Ray may deliver a message twice."""
    hosts = Hosts(RateLimit(rpm=2))
    assert 0 == hosts.ask("one") == hosts.ask("one") == hosts.ask("two")
    assert hosts.ask("three") > 0


def test_a_request_that_is_given_up_makes_room() -> None:
    """A waiting request leaves the queue at once; a sent one still counts for a minute."""
    hosts = Hosts(RateLimit(rpm=1))
    assert 0 == hosts.ask("one")
    assert hosts.ask("two") > 0
    assert hosts.ask("three") > 0
    hosts.host.release("two")
    hosts.host.release("one")
    hosts.clock.now += MINUTE - 1
    assert hosts.ask("three") > 0
    hosts.clock.now += 3
    assert 0 == hosts.ask("three")


def test_the_requests_of_a_worker_that_died_stop_to_count() -> None:
    """A dead worker sends no release, so its requests expire a minute after its lease."""
    hosts = Hosts(RateLimit(rpm=1))
    assert 0 == hosts.ask("dead")
    hosts.clock.now += LEASE - 1
    assert hosts.ask("next") > 0
    waited = hosts.until_out("next")
    assert MINUTE < waited < MINUTE + 5


def test_an_actor_that_was_started_again_lets_nothing_out_for_a_minute() -> None:
    """The restarted actor doesn't know what was sent, and messages about that are no error."""
    hosts = Hosts(RateLimit(rpm=5), caller="")
    hosts.host.correct("unknown", 10)
    hosts.host.slow_down("unknown", None)
    hosts.host.release("unknown")
    assert (1.0, MINUTE) == hosts.host.wait("one", "voyage-4", 10, again=False)
    hosts.clock.now += MINUTE - 0.5
    assert 0.5 == hosts.ask("one")
    hosts.clock.now += 0.5
    assert 0 == hosts.ask("one")
    assert RateLimit(rpm=5) == hosts.host.begin("another")


def test_a_wait_says_how_long_it_is_at_least() -> None:
    """A call whose deadline is earlier fails at once."""
    hosts = Hosts(RateLimit(rpm=1))
    hosts.ask("one")
    hosts.host.correct("one", 10)
    seconds, least = hosts.host.wait("two", "voyage-4", 10, again=False)
    assert 0 < seconds < MINUTE == least

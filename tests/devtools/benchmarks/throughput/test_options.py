from devtools.benchmarks.throughput.options import PAGES, QUICK_COUNT, options


def test_later_rounds_have_only_main_contestants():
    chosen = options([])
    assert chosen.wants_in_round("a", 0, is_main=False)
    assert not chosen.wants_in_round("a", 1, is_main=False)
    assert chosen.wants_in_round("a", 1, is_main=True)


def test_a_quick_run_has_only_main_contestants():
    chosen = options(["--quick"])
    assert (chosen.count, chosen.rounds) == (QUICK_COUNT, 1)
    assert not chosen.wants_in_round("a", 0, is_main=False)
    assert chosen.wants_probe("critical")
    assert not chosen.wants_probe("growth")
    assert options(["--quick", "--only", "growth"]).wants_probe("growth")


def test_named_contestants_are_in_every_round():
    chosen = options(["--only", "celery", "--only", "growth"])
    assert chosen.wants_in_round("celery-email x10", 1, is_main=False)
    assert not chosen.wants_in_round("mailroom single", 0, is_main=True)
    assert chosen.wants("growth")
    assert not chosen.wants("history")


def test_sizes_can_be_chosen():
    assert options(["--quick", "--history", "7", "--queued", "5"]).sizes.history == 7


def test_pages_are_written_on_demand():
    assert not options([]).pages
    assert options(["--write"]).pages == PAGES
    assert options(["--write", "scaling"]).pages == ["scaling"]

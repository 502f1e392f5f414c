"""Turn a status into findings."""

from collections.abc import Iterator, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from notifications.breaker.permits import CircuitState
from notifications.models import Pause
from notifications.operations import advice, pausing
from notifications.operations.changes import change_findings
from notifications.operations.figures import Brake, Dead, Lane, Overdue, ProcessState, SystemStatus, Traffic
from notifications.operations.finding import Code, StatusFinding
from notifications.operations.guard import guard_findings
from notifications.operations.reputation import reputation_findings
from notifications.operations.wording import circuit_in_words, duration, grouped, time_until, trouble_in_words
from notifications.rules.states import Stream

# Processes report every 5 seconds.
SILENT_S = 20.0
# How long due email may wait before an operator should act.
LATE_S = {Stream.CRITICAL: 30.0, Stream.DEFAULT: 120.0, Stream.BULK: 6 * 3600.0}
MANY_DEAD = 10
# After this many emails, the provider should have reported at least once.
MANY_UNREPORTED = 20
# From this share on, the database has few connections left for more processes.
MOST_CONNECTIONS = 0.8

DISK_IS_FULL = gettext_lazy(
    "The database's disk is full, so sign-ups and sending fail. Free space or enlarge the disk."
)
# By the setting of the channel.
ALERTING = {"ALERT_WEBHOOK_URL": Code.ALERT_WEBHOOK, "ALERT_PING_URL": Code.ALERT_PING}
WORK = {"relay": Code.NO_RELAY, "beat": Code.NO_BEAT}
NOT_RUNNING: dict[str, Promise] = {
    "relay": gettext_lazy("The relay is not running. Start it."),
    "beat": gettext_lazy("Beat is not running. Start it."),
}
NO_BROKER = gettext_lazy("Redis is not answering. Start it. Messages are waiting; none are lost.")
NONE_CONFIGURED = gettext_lazy("No provider is configured. Set EMAIL_PROVIDERS. Messages are waiting; none are lost.")
UNSERVED = ngettext_lazy(
    "No healthy worker is consuming the %(queues)s queue. Start or restart one.",
    "No healthy worker is consuming these queues: %(queues)s. Start or restart one.",
    "count",
)


def findings(status: SystemStatus) -> list[StatusFinding]:
    """Return what an operator should know, causes first; none if there is nothing to do."""
    found = all_findings(status)
    hidden = explained(found)
    left = [finding for finding in found if finding.code not in hidden]
    return sorted(left, key=lambda finding: not finding.is_problem)


def all_findings(status: SystemStatus) -> list[StatusFinding]:
    """Return the findings with those that others explain, causes first."""
    return [
        *(*_paths(status), *_missing(status), *_processes(status), *_connections(status), *_overdue(status)),
        *(*pausing.pause_findings(status), *_misfits(status), *_reports(status.traffic), *_lanes(status)),
        *change_findings(status.changes),
        *_brake(status.brake),
        *reputation_findings(status.traffic),
        *(*_dead(status.dead), *_uncertain(status), *guard_findings(status.guard), *_alerts(status)),
    ]


def explained(found: Sequence[StatusFinding]) -> frozenset[str]:
    """Return the codes of consequences: the page leaves them out."""
    return frozenset(code for finding in found for code in finding.explains)


def is_silent(process: ProcessState) -> bool:
    return process.silent_s > SILENT_S


def replaced(processes: Sequence[ProcessState]) -> set[str]:
    # A killed container's: each silent process is replaced by one newer process of its kind.
    names = set()
    newcomers = sorted((process for process in processes if not is_silent(process)), key=lambda process: -process.age_s)
    for lost in sorted(filter(is_silent, processes), key=lambda process: process.silent_s):
        kind = _kind(lost)
        successor = next((one for one in newcomers if _kind(one) == kind and one.age_s < lost.silent_s), None)
        if successor is not None:
            newcomers.remove(successor)
            names.add(lost.name)
    return names


def _paths(status: SystemStatus) -> Iterator[StatusFinding]:
    # The servers and the providers.
    if status.disk_is_full:
        yield StatusFinding(Code.DISK_FULL, str(DISK_IS_FULL))
    if status.broker_is_down:
        yield StatusFinding(Code.BROKER_AWAY, str(NO_BROKER))
    paused = {pause.name for pause in status.pauses if pause.what == Pause.What.PROVIDER}
    used = [circuit for circuit in status.circuits if circuit.provider not in paused]
    shut = [circuit for circuit in used if circuit.state != "closed"]
    if status.circuits and len(shut) == len(used):
        sentence = _("No provider is accepting email. Messages are waiting; none are lost.")
        yield StatusFinding(Code.NO_PROVIDER, " ".join([sentence, *map(_circuit, shut)]))
    if not status.circuits:
        yield StatusFinding(Code.NO_PROVIDER, str(NONE_CONFIGURED))
    for circuit in shut:
        code = advice.about(circuit.error_class).code
        yield StatusFinding(code, _circuit(circuit), about=frozenset({circuit.provider}))


def _circuit(circuit: CircuitState) -> str:
    found = advice.about(circuit.error_class)
    error = circuit_in_words(circuit.reason) or _("unknown error")
    return f"{found.state % {'provider': circuit.provider, 'error': error}} {found.step}"


def _missing(status: SystemStatus) -> Iterator[StatusFinding]:
    # Work that no process does. A process that hangs or died is named elsewhere.
    for name, code in WORK.items():
        if not any(_kind(process) == name for process in status.processes):
            yield StatusFinding(code, str(NOT_RUNNING[name]))
    if unserved := [lane.stream.value for lane in status.lanes if lane.served is False]:
        text = UNSERVED % {"count": len(unserved), "queues": ", ".join(unserved)}
        yield StatusFinding(Code.STREAM_UNSERVED, text, about=frozenset(unserved))
    if status.flower_is_missing:
        sentence = _("Flower is not running. Start it to see tasks and workers. Email is not affected.")
        yield StatusFinding(Code.NO_FLOWER, sentence)


def _processes(status: SystemStatus) -> Iterator[StatusFinding]:
    # One sentence for all silent processes: they mostly share a machine, and a cause.
    gone = replaced(status.processes)
    lost = [process for process in status.processes if is_silent(process) and process.name not in gone]
    if lost:
        names = ", ".join(f"{process.name} ({duration(process.silent_s)})" for process in lost)
        text = ngettext(
            "No heartbeat from %(names)s. It may be hung, dead or unable to reach the database. Check it and restart"
            " it.",
            "No heartbeat from %(names)s. They may be hung, dead or unable to reach the database. Check them and"
            " restart them.",
            len(lost),
        )
        yield StatusFinding(
            Code.PROCESS_SILENT,
            text % {"names": names},
            of=frozenset(map(_kind, lost)),
            about=frozenset(process.name for process in lost),
        )
    for process in status.processes:
        if process.trouble and not is_silent(process):
            text = _("%(name)s: %(trouble)s. Restart it if this persists.")
            sentence = text % {"name": process.name, "trouble": trouble_in_words(process.trouble)}
            kind, name = frozenset({_kind(process)}), frozenset({process.name})
            yield StatusFinding(Code.PROCESS_TROUBLE, sentence, of=kind, about=name)


def _overdue(status: SystemStatus) -> Iterator[StatusFinding]:
    # One sentence for all overdue jobs: they run in one process, and mostly have one cause.
    if status.overdue:
        text = _("Periodic jobs are overdue: %(jobs)s. Check beat and its log.")
        sentence = text % {"jobs": "; ".join(map(_job, status.overdue))}
        yield StatusFinding(Code.OVERDUE, sentence, about=frozenset(job.name for job in status.overdue))


def _job(job: Overdue) -> str:
    every = _("every %(interval)s") % {"interval": duration(job.every_s)}
    last = _("never ran") if job.done_s is None else _("last ran %(time)s ago") % {"time": duration(job.done_s)}
    error = [_("error: %(error)s") % {"error": job.error}] if job.error else []
    return f"{job.name} ({', '.join([every, last, *error])})"


def _misfits(status: SystemStatus) -> Iterator[StatusFinding]:
    for misfit in status.misfits:
        text = ngettext(
            "%(count)s message waits for a worker that can send the kind “%(kind)s” (%(cause)s). Restart workers that"
            " run an older version, or fix the kind or its templates.",
            "%(count)s messages wait for a worker that can send the kind “%(kind)s” (%(cause)s). Restart workers that"
            " run an older version, or fix the kind or its templates.",
            misfit.count,
        )
        values = {"count": grouped(misfit.count), "kind": misfit.kind, "cause": misfit.cause}
        yield StatusFinding(Code.MISFITS, text % values, about=frozenset({misfit.kind}))


def _connections(status: SystemStatus) -> Iterator[StatusFinding]:
    used, allowed = status.connections_used, status.connections_allowed
    if used and used >= MOST_CONNECTIONS * allowed:
        text = _(
            "%(used)s of %(allowed)s database connections are in use. When none is left, users see an error page."
            " Raise max_connections, lower DATABASE_POOL_SIZE, or use a connection pooler."
        )
        yield StatusFinding(Code.CONNECTIONS, text % {"used": used, "allowed": allowed})


def _reports(providers: Sequence[Traffic]) -> Iterator[StatusFinding]:
    for traffic in providers:
        if traffic.reports is False and traffic.unreported >= MANY_UNREPORTED:
            text = _(
                "%(provider)s has reported nothing about %(count)s emails of the last hour, so bounces and complaints"
                " are unknown. Check its webhook (manage.py provider_check)."
            )
            values = {"provider": traffic.provider, "count": grouped(traffic.unreported)}
            yield StatusFinding(Code.NO_REPORTS, text % values, about=frozenset({traffic.provider}))


def _lanes(status: SystemStatus) -> Iterator[StatusFinding]:
    held = [lane for lane in status.lanes if lane.pace == 0 and lane.stream is not Stream.BULK]
    if held:
        yield _held(", ".join(lane.stream.value for lane in held), max(lane.paused_s for lane in held))
    for lane in status.lanes:
        if lane.due and lane.oldest_s > LATE_S[lane.stream]:
            text = _("The oldest message of the %(stream)s stream has been due for %(time)s.")
            late = text % {"stream": lane.stream.value, "time": duration(lane.oldest_s)}
            yield StatusFinding(Code.LATE, f"{late} {_why_late(lane)}", about=frozenset({lane.stream.value}))


def _held(streams: str, paused_s: float) -> StatusFinding:
    if paused_s:
        text = _(
            "The provider asked for a pause. Sending resumes %(when)s (%(streams)s). If this repeats, lower"
            " EMAIL_RATE or ask the provider for a higher limit."
        )
        return StatusFinding(Code.BUDGET_PAUSED, text % {"streams": streams, "when": time_until(paused_s)})
    text = _(
        "The daily limit is used up (%(streams)s). Messages wait until it frees up. Raise EMAIL_DAILY if the provider"
        " allows more."
    )
    return StatusFinding(Code.BUDGET_SPENT, text % {"streams": streams})


def _why_late(lane: Lane) -> str:
    # What the operator should check first.
    if lane.pace:
        text = _("The rate limit allows %(rate)s/s. Raise EMAIL_RATE if the provider allows more.")
        return text % {"rate": f"{lane.pace:.3g}"}
    if lane.published:
        return _("Its tasks wait for workers. Start more workers, or check in Flower what blocks them.")
    return _("Its tasks are not published, or fail. Check the relay's log and Flower.")


def _brake(brake: Brake) -> Iterator[StatusFinding]:
    if not brake.on:
        return
    text = _(
        "%(bounced)s of %(sent)s emails to unconfirmed addresses bounced within %(minutes)s min. Sign-up emails are"
        " slowed to %(rate)s per minute; other email is not affected. Check who signs up (manage.py bounce_brake) and"
        " block bots before the provider suspends the account."
    )
    values = {"bounced": grouped(brake.bounced), "sent": grouped(brake.sent), "minutes": brake.window_min}
    parts = [text % {**values, "rate": f"{brake.per_min:g}"}]
    if brake.queue_s:
        parts.append(_("The last one waiting is sent %(when)s.") % {"when": time_until(brake.queue_s)})
    yield StatusFinding(Code.BRAKE, " ".join(parts))


def _dead(causes: Sequence[Dead]) -> Iterator[StatusFinding]:
    hour, ever = sum(dead.hour for dead in causes), sum(dead.ever for dead in causes)
    if hour >= MANY_DEAD:
        worst = max(causes, key=lambda dead: dead.hour)
        text = _(
            "%(count)s messages died in the last hour, most of them with %(cause)s. Fix the cause, then replay them."
        )
        yield StatusFinding(Code.DYING, text % {"count": grouped(hour), "cause": worst.cause or _("no recorded error")})
    if ever:
        day = sum(dead.day for dead in causes)
        text = _("Dead letters: %(count)s, of which %(day)s in the last 24 hours. Replay or keep them.")
        yield StatusFinding(Code.DEAD_LETTERS, text % {"count": grouped(ever), "day": grouped(day)})


def _uncertain(status: SystemStatus) -> Iterator[StatusFinding]:
    if not (waiting := status.uncertain + status.held):
        return
    text = _("Uncertain messages: %(count)s. All are settled automatically.")
    if status.held:
        text = _("Uncertain messages: %(count)s, of which %(held)s need a decision.")
    yield StatusFinding(Code.UNCERTAIN, text % {"count": grouped(waiting), "held": grouped(status.held)})


def _alerts(status: SystemStatus) -> Iterator[StatusFinding]:
    for channel, error in status.failing_channels.items():
        text = _("Alerts cannot be sent to the address in %(setting)s (%(error)s). Check it (manage.py alert_check).")
        yield StatusFinding(ALERTING[channel], text % {"setting": channel, "error": error})


def _kind(process: ProcessState) -> str:
    return process.name.partition("@")[0]

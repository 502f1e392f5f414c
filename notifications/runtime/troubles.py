"""What keeps a process from its work. A heartbeat stores it; the status page translates it."""

CONSUMER_STUCK = "its consumer has not moved for {seconds} s: it is blocked or has lost the broker"
BROKER_SILENT = "the broker has not answered it for {seconds} s"
ALL_STUCK = "all of its slots have been busy with the same tasks for {seconds} s: its threads are stuck"
ONE_STUCK = "a task has been running for {seconds} s: its thread is stuck"
TAKES_NONE = "it has taken no task for {seconds} s while {tasks} wait in its queues"
CHECK_OVERDUE = "its health check is overdue by {seconds} s"
ROUND_SLOW = "its current round has taken {seconds} s so far"
LOOP_STUCK = "its loop has not moved for {seconds} s"
JOBS_UNCHECKED = "it has not checked its periodic jobs for {seconds} s"
JOB_STUCK = "its job {job} has been running for {seconds} s"
READER_ENDED = "its thread that reads provider events has ended"
READING_SLOW = "reading provider events has taken {seconds} s so far"
DISPATCHER_ENDED = "its thread that calls the receivers of message_changed has ended"
RECEIVER_SLOW = "receivers of message_changed have been running for {seconds} s"


def describe(template: str, seconds: float, **values: object) -> str:
    return template.format(seconds=f"{seconds:.0f}", **values)

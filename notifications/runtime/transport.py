"""kombu's Redis transport, with less work for each task."""

from typing import Any

import kombu.transport
import kombu.transport.redis
import kombu.transport.virtual

# kombu 5.7 creates a redis.Redis for each publish, acknowledgement and event. With redis-py 8 that takes 0.1 ms of CPU,
# as much as the operation. A client is thread-safe, and its connections are in the channel's pool in either case.
# kombu writes each task to a hash and a sorted set until it is acknowledged, so that another worker gets it after a
# crash. That is two transactions per task, and the relay publishes a lost delivery anyway, sooner.

#: The name of the task that delivers messages.
DELIVER_TASK = "mailroom.deliver"


class QoS(kombu.transport.redis.QoS):
    """Keeps the deliveries that a worker holds in its memory only. Other tasks are kept in Redis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: dict[str, Any] = {}

    def append(self, message: Any, delivery_tag: str) -> None:
        if message.headers.get("task") != DELIVER_TASK:
            super().append(message, delivery_tag)
        else:
            self._held[delivery_tag] = message
            kombu.transport.virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        if self._held.pop(delivery_tag, None) is None:
            super().ack(delivery_tag)
        else:
            kombu.transport.virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            self._held.pop(delivery_tag, None)
        super().reject(delivery_tag, requeue=requeue)

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        # For a worker that shuts down or rejects a task.
        if (message := self._held.pop(tag, None)) is None:
            super().restore_by_tag(tag, client, leftmost)
        else:
            self._return(message, client, leftmost)

    def _return(self, message: Any, client: Any, leftmost: bool) -> None:
        channel: Any = self.channel
        place = message.delivery_info
        with channel.conn_or_acquire(client) as redis:
            channel._do_restore_message(  # noqa: SLF001 - what the class above calls
                message._raw,  # noqa: SLF001
                place["exchange"],
                place["routing_key"],
                redis,
                leftmost,
            )


class Channel(kombu.transport.redis.Channel):
    QoS = QoS
    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        # An asynchronous client has one connection, for BRPOP, and kombu keeps it.
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        client = self._kept
        # After a lost connection or a fork, the channel has another pool.
        if client is None or client.connection_pool is not self.pool:
            client = self._kept = super()._create_client()  # type: ignore[misc]
        return client


class Transport(kombu.transport.redis.Transport):
    Channel = Channel


def install() -> None:
    # By the schemes of URLs, because Celery and Flower show a connection's transport as the scheme of its URL.
    path = f"{Transport.__module__}:{Transport.__qualname__}"
    kombu.transport.TRANSPORT_ALIASES |= {"redis": path, "rediss": path}

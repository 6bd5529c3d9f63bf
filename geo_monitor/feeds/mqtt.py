"""MQTT: a broker that keeps what we have not acknowledged (QoS 1, a session of our own)."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from geo_monitor.errors import Refused
from geo_monitor.feeds.address import Address
from geo_monitor.feeds.received import Piece, Received, now_ms
from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
PASSWORD = "GEO_MONITOR_MQTT_PASSWORD"  # noqa: S105 - the name of the variable


class Broker(Received):
    """A message is acknowledged once its fixes are stored: a crash of ours loses nothing, and one of the broker's only what
    it had not saved (docs/feeds.md says what senders do about that).

    The broker knows us by a client id made of this machine's name and the address (or `?client=`); it must be the same
    at the next start, and nobody else's.
    """

    messages = True

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        super().__init__(address, settings, role)
        told = hashlib.sha256(f"{socket.gethostname()} {address.name}".encode()).hexdigest()[:12]
        self.client_id = address.options.get("client") or f"geo-monitor-{told}"
        self._connection = 0  # counted: message numbers of an earlier connection may mean other messages by now
        self._acks = threading.Lock()
        self._ready = False
        self._most = round(settings.feed_body_mb * 1e6)
        client = paho.Client(
            CallbackAPIVersion.VERSION2, self.client_id, clean_session=False, manual_ack=True, reconnect_on_failure=True
        )
        password = os.environ.get(PASSWORD) or address.password
        if address.user:
            client.username_pw_set(address.user, password)
        if address.kind == "mqtts":
            client.tls_set(ca_certs=address.options.get("ca"))
        client.reconnect_delay_set(settings.feed_pause_s, settings.feed_pause_most_s)  # type: ignore[arg-type]
        client.on_connect = self._connected
        client.on_connect_fail = self._failed
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        self._client = client
        client.connect_async(address.host, address.port, keepalive=60)
        client.loop_start()

    def unit(self, sender: str) -> str:
        return self.address.options.get("unit") or sender

    owner = unit  # a topic is a device's

    def acknowledge(self, ack: Any) -> None:
        connection, number = ack
        with self._acks:
            if connection == self._connection:
                self._client.ack(number, 1)

    def close(self) -> None:
        super().close()
        self._client.disconnect()
        self._client.loop_stop()

    # --- called by the thread of the client --------------------------------------------------------------------------
    def _connected(self, client: paho.Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._wrong("feed_broker_refused", str(code))
            return
        with self._acks:
            self._connection += 1
        log.info("feed %s: connected as %s", self.name, self.client_id)
        if self._ready and not flags.session_present:
            log.warning(
                "feed %s: the broker has lost our session; what it held for us is lost, senders must repeat", self.name
            )
        client.subscribe(self.address.path, qos=1)

    def _subscribed(self, client: paho.Client, data: Any, mid: int, codes: Any, properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._wrong("feed_topic_refused", self.address.path)
        else:
            self._ready = True

    def _wrong(self, code: str, reason: str) -> None:
        """At the start a refusal is told at once; later the broker may only be starting itself, and is tried again."""
        log.warning("feed %s: the broker refuses: %s", self.name, reason)
        if not self._ready:
            self.queue.fail(Refused(code, feed=self.name, reason=reason))

    def _failed(self, client: paho.Client, data: Any) -> None:
        log.warning("feed %s: no connection; it is tried again", self.name)

    def _disconnected(self, client: paho.Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        with self._acks:
            self._connection += 1
        if not self.closing.is_set():
            log.warning("feed %s: the connection is lost (%s); it is tried again", self.name, code)

    def _message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        """Waits while the queue is full; the broker keeps what comes meanwhile."""
        ack = (self._connection, message.mid) if message.qos else None
        body = bytes(message.payload) if len(message.payload) <= self._most else b""
        piece = Piece(message.topic, now_ms(), body, whole=True, ack=ack)
        if not body and message.payload:
            piece.read = self.too_large()
        self.queue.put(piece)

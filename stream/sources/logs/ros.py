"""ROS bags (1: .bag; 2: a folder, or its .db3) and MCAP files of ROS 2 messages, read without ROS.

Bags are read by rosbags, MCAP by its own library with mcap-ros2-support: extra `robot`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.logs.ros_messages import (
    READ,
    Known,
    camera_name,
    is_depth,
    picture,
    short_type,
    stamp_s,
)
from hippocam.stream.sources.logs.source import Instant, LogSource

_BAGS = frozenset({".bag", ".db3", ".mcap"})
_PICTURES = ("sensor_msgs/Image", "sensor_msgs/CompressedImage")
_TF = "tf2_msgs/msg/TFMessage"
_MISSING = "robots' logs are read by packages of their own: pip install 'hippocam[robot]'"


def is_bag(path: Path) -> bool:
    """Tell by its name whether a file is a bag or an MCAP file."""
    return path.suffix.casefold() in _BAGS


def is_bag_folder(folder: Path) -> bool:
    """Tell whether a folder is a ROS 2 bag."""
    try:
        return (folder / "metadata.yaml").is_file() and any(is_bag(path) for path in folder.iterdir())
    except OSError:
        return False


def ros_source(path: Path, *, id: str) -> LogSource:
    """A bag as a source with a camera for each topic of pictures."""
    return LogSource(_Bag(path), id=id)


class _Message(NamedTuple):
    time_s: float
    topic: str
    kind: str
    content: Any


@dataclass(frozen=True, slots=True)
class _Bag:
    path: Path

    @property
    def uri(self) -> str:
        return str(self.path)

    def duration_s(self) -> float | None:
        if self.path.suffix.casefold() == ".mcap":
            with self.path.open("rb") as file:
                return _mcap_duration_s(file)
        with _opened(self.path) as bag:
            return float(bag.duration) / 1e9

    def instants(self) -> Iterator[Instant]:
        known, start_s, last_s, depths, unread = Known(), None, 0.0, set[str](), dict[str, int]()
        pictures = 0
        for message in self._messages(unread):
            if start_s is None:
                start_s = message.time_s
            if message.kind not in _PICTURES:
                known.take(message.kind, message.content)
                continue
            if is_depth(message.kind, message.topic, message.content):
                depths.add(message.topic)
                continue
            last_s = max(last_s, message.time_s - start_s)  # a header may be older than what was logged before
            pictures += 1
            yield Instant(
                time_s=round(last_s, 6),
                images={camera_name(message.topic): picture(message.kind, message.content)},
                sensors=known.sensors,
                text=known.text,
                state_names=known.state_names,
                action_names=known.action_names,
            )
        if unread:
            told = ", ".join(f"{count} of {topic}" for topic, count in sorted(unread.items()))
            raise SourceError(self.uri, f"messages that cannot be read: {told}; all others were kept")
        if not pictures:
            more = f"; {', '.join(sorted(depths))} holds distances" if depths else ""
            raise SourceError(self.uri, f"no pictures in it (sensor_msgs Image or CompressedImage){more}")

    def _messages(self, unread: dict[str, int]) -> Iterator[_Message]:
        """The messages that are read, in the log's order, at their headers' times.

        Raises:
            SourceError: The log cannot be read, or breaks off.
        """
        read = _mcap_messages if self.path.suffix.casefold() == ".mcap" else _bag_messages
        try:
            for log_s, topic, kind, decode in read(self.path):
                try:
                    content = decode()
                except Exception:  # a decoder of another package, on untrusted bytes
                    unread[topic] = unread.get(topic, 0) + 1
                    continue
                yield _Message(stamp_s(content) or log_s, topic, kind, content)
        except ImportError as error:
            raise SourceError(self.uri, _MISSING) from error
        except SourceError:
            raise
        except Exception as error:  # these readers have errors of many kinds for a damaged file
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SourceError(self.uri, f"cannot be read on ({reason:.200}); it is damaged or cut off") from error


def _opened(path: Path) -> Any:
    if path.suffix.casefold() == ".bag":
        from rosbags.rosbag1 import Reader as Bag1

        return Bag1(path)
    from rosbags.rosbag2 import Reader as Bag2

    return Bag2(path)


def _bag_messages(path: Path) -> Iterator[tuple[float, str, str, Any]]:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    one = path.suffix.casefold() == ".bag"
    types = get_typestore(Stores.ROS1_NOETIC if one else Stores.ROS2_HUMBLE)
    if _TF not in types.types:  # rosbags has it for ROS 2 alone
        types.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", _TF))
    decode = types.deserialize_ros1 if one else types.deserialize_cdr
    with _opened(path) as bag:
        wanted = [each for each in bag.connections if short_type(each.msgtype) in READ]
        if not wanted:
            return
        for connection, nanos, raw in bag.messages(connections=wanted):
            kind = short_type(connection.msgtype)
            # tf's messages of ROS 1 are those of tf2
            name = _TF if kind == "tf/tfMessage" else connection.msgtype
            yield nanos / 1e9, connection.topic, kind, functools.partial(decode, raw, name)


def _mcap_messages(path: Path) -> Iterator[tuple[float, str, str, Any]]:
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    factory = DecoderFactory()
    with path.open("rb") as file:
        for schema, channel, message in make_reader(file).iter_messages():
            if schema is None or (kind := short_type(schema.name)) not in READ:
                continue
            decoder = factory.decoder_for(channel.message_encoding, schema)
            if decoder is None:
                raise SourceError(
                    str(path), f"{channel.topic} is encoded as {channel.message_encoding!r}; ROS 2's cdr is read"
                )
            yield message.log_time / 1e9, channel.topic, kind, functools.partial(decoder, message.data)


def _mcap_duration_s(file: Any) -> float | None:
    from mcap.reader import make_reader

    summary = make_reader(file).get_summary()
    statistics = summary.statistics if summary is not None else None
    return None if statistics is None else (statistics.message_end_time - statistics.message_start_time) / 1e9

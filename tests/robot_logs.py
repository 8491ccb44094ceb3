"""Robots' logs, written by the libraries that their users write them with, or by the format's own description."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
START_S = 1_700_000_000

_HEADER = "std_msgs/Header header\n"
_DEFINITIONS = (
    "\n" + "=" * 80 + "\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n" + "=" * 80
    + "\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)  # fmt: skip
_PARTS = {
    "PoseWithCovariance": "geometry_msgs/Pose pose\nfloat64[36] covariance",
    "Pose": "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation",
    "Point": "float64 x\nfloat64 y\nfloat64 z",
    "Quaternion": "float64 x\nfloat64 y\nfloat64 z\nfloat64 w",
    "TwistWithCovariance": "geometry_msgs/Twist twist\nfloat64[36] covariance",
    "Twist": "geometry_msgs/Vector3 linear\ngeometry_msgs/Vector3 angular",
    "Vector3": "float64 x\nfloat64 y\nfloat64 z",
}
_POSE = "".join(f"{'=' * 80}\nMSG: geometry_msgs/{name}\n{body}\n" for name, body in _PARTS.items())


def write_tum(
    folder: Path,
    images: Sequence[Image],
    times_s: Sequence[float],
    *,
    poses: bool = True,
    way: Callable[[float], tuple[float, float, float]] = lambda time_s: (time_s, 2.0, 0.0),
) -> None:
    """A sequence as TUM's tools write it, with a trajectory of 100 Hz.

    Args:
        folder: Where to.
        images: The pictures.
        times_s: Their times, from START_S.
        poses: Whether there is a trajectory.
        way: x, y and heading at a time; a metre a second along x where it is not given.
    """
    (folder / "rgb").mkdir(parents=True)
    lines = ["# timestamp filename"]
    for image, time_s in zip(images, times_s, strict=True):
        stamp = f"{START_S + time_s:.6f}"
        cv2.imwrite(str(folder / "rgb" / f"{stamp}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        lines.append(f"{stamp} rgb/{stamp}.png")
    (folder / "rgb.txt").write_text("\n".join(lines) + "\n")
    if poses:
        rows = []
        for k in range(int(100 * times_s[-1]) + 1):
            x, y, heading = way(k / 100)
            turn = f"0 0 {math.sin(heading / 2):.6f} {math.cos(heading / 2):.6f}"
            rows.append(f"{START_S + k / 100:.4f} {x} {y} 3 {turn}")
        (folder / "groundtruth.txt").write_text("# timestamp tx ty tz qx qy qz qw\n" + "\n".join(rows) + "\n")


def write_rlds(path: Path, episodes: Sequence[Sequence[Image]]) -> None:
    """Episodes as TensorFlow Datasets writes them; the checksums are left at 0."""
    with path.open("wb") as file:
        for episode in episodes:
            pictures = [
                cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes() for image in episode
            ]
            steps = len(episode)
            record = _example(
                {
                    "steps/observation/image": pictures,
                    "steps/observation/state": np.arange(3 * steps, dtype="<f4"),
                    "steps/action": -np.arange(2 * steps, dtype="<f4"),
                    "steps/language_instruction": [b"open the drawer"] * steps,
                    "steps/is_first": [1] + [0] * (steps - 1),
                }
            )
            file.write(struct.pack("<QI", len(record), 0) + record + struct.pack("<I", 0))


def _png(image: Image) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def _example(features: dict[str, Any]) -> bytes:
    entries = b"".join(
        _bytes(1, _bytes(1, name.encode()) + _bytes(2, _feature(values))) for name, values in features.items()
    )
    return _bytes(1, entries)


def _feature(values: Any) -> bytes:
    if isinstance(values, np.ndarray):
        return _bytes(2, _bytes(1, values.tobytes()))
    if isinstance(values[0], bytes):
        return _bytes(1, b"".join(_bytes(1, value) for value in values))
    return _bytes(3, _bytes(1, b"".join(map(_varint, values))))


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def write_bag(
    path: Path,
    images: Sequence[Image],
    times_s: Sequence[float],
    *,
    version: int,
    encoding: str = "rgb8",
    lag_s: float = 0.0,
) -> None:
    """A bag of ROS 1 (a file) or 2 (a folder): pictures, joints, odometry and tf, each just before its picture.

    Args:
        path: Where.
        images: Pictures of /camera/color/image_raw.
        times_s: Times in their headers, from START_S.
        version: 1 or 2.
        encoding: Of the pictures.
        lag_s: How much later than its header says each was logged.
    """
    from rosbags.rosbag1 import Writer as Writer1
    from rosbags.rosbag2 import Writer as Writer2
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    types = get_typestore(Stores.ROS1_NOETIC if version == 1 else Stores.ROS2_HUMBLE)
    if version == 1:
        types.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", "tf2_msgs/msg/TFMessage"))
    of = types.types
    topics = {
        "/camera/color/image_raw": "sensor_msgs/msg/Image",
        "/joint_states": "sensor_msgs/msg/JointState",
        "/odom": "nav_msgs/msg/Odometry",
        "/tf": "tf2_msgs/msg/TFMessage",
        "/cmd_vel": "geometry_msgs/msg/Twist",
    }
    writer = Writer1(path) if version == 1 else Writer2(path, version=9)
    with writer:
        lines = {name: writer.add_connection(name, kind, typestore=types) for name, kind in topics.items()}

        def put(topic: str, message: Any, time_s: float) -> None:
            kind = topics[topic]
            raw = types.serialize_ros1(message, kind) if version == 1 else types.serialize_cdr(message, kind)
            early_s = 0.0 if "image" in topic else 0.001
            writer.write(lines[topic], int((START_S + time_s + lag_s - early_s) * 1e9), raw)

        for number, (image, time_s) in enumerate(zip(images, times_s, strict=True)):
            stamp = of["builtin_interfaces/msg/Time"](sec=START_S + int(time_s), nanosec=round(time_s % 1 * 1e9))
            sequence = {"seq": number} if version == 1 else {}

            def header(frame: str, stamp: Any = stamp, sequence: dict[str, int] = sequence) -> Any:
                return of["std_msgs/msg/Header"](stamp=stamp, frame_id=frame, **sequence)

            point, turn, vector = (of[f"geometry_msgs/msg/{name}"] for name in ("Point", "Quaternion", "Vector3"))
            still, none = turn(x=0.0, y=0.0, z=0.0, w=1.0), vector(x=0.0, y=0.0, z=0.0)
            pose = of["geometry_msgs/msg/Pose"](position=point(x=time_s, y=0.0, z=0.0), orientation=still)
            twist = of["geometry_msgs/msg/Twist"](linear=vector(x=1.0, y=0.0, z=0.0), angular=none)
            covered = of["geometry_msgs/msg/PoseWithCovariance"](pose=pose, covariance=np.zeros(36))
            moving = of["geometry_msgs/msg/TwistWithCovariance"](twist=twist, covariance=np.zeros(36))
            odometry = of["nav_msgs/msg/Odometry"](
                header=header("odom"), child_frame_id="base_link", pose=covered, twist=moving
            )
            # the map's frame is turned by a quarter about z, and stands at (10, 20)
            half = float(np.sqrt(0.5))
            moves = [
                ("map", "odom", vector(x=10.0, y=20.0, z=0.0), turn(x=0.0, y=0.0, z=half, w=half)),
                ("odom", "base_link", vector(x=time_s, y=0.0, z=0.0), still),
            ]
            transforms = [
                of["geometry_msgs/msg/TransformStamped"](
                    header=header(parent),
                    child_frame_id=child,
                    transform=of["geometry_msgs/msg/Transform"](translation=moved, rotation=turned),
                )
                for parent, child, moved, turned in moves
            ]
            joints = of["sensor_msgs/msg/JointState"](
                header=header(""),
                name=["a", "b"],
                position=np.array([number, -number], float),
                velocity=np.zeros(0),
                effort=np.zeros(0),
            )
            put("/joint_states", joints, time_s)
            put("/cmd_vel", twist, time_s)
            put("/odom", odometry, time_s)
            put("/tf", of["tf2_msgs/msg/TFMessage"](transforms=transforms), time_s)
            pixels = (
                image
                if encoding == "rgb8"
                else cv2.cvtColor(image, getattr(cv2, f"COLOR_RGB2{encoding.upper()[:-1]}"))
            )
            height, width = image.shape[:2]
            put(
                "/camera/color/image_raw",
                of["sensor_msgs/msg/Image"](
                    header=header("camera"),
                    height=height,
                    width=width,
                    encoding=encoding,
                    is_bigendian=0,
                    step=pixels.size // height,
                    data=np.ascontiguousarray(pixels).reshape(-1),
                ),
                time_s,
            )


def write_mcap(path: Path, images: Sequence[Image], times_s: Sequence[float]) -> None:
    """An MCAP file of ROS 2 messages: compressed pictures of two cameras in turn, odometry, depth beside them."""
    from mcap_ros2.writer import Writer

    compressed = _HEADER + "string format\nuint8[] data" + _DEFINITIONS
    odometry = (
        _HEADER + "string child_frame_id\ngeometry_msgs/PoseWithCovariance pose\n"
        "geometry_msgs/TwistWithCovariance twist" + _DEFINITIONS + _POSE
    )  # fmt: skip
    with path.open("wb") as file:
        writer = Writer(file)
        picture = writer.register_msgdef("sensor_msgs/msg/CompressedImage", compressed)
        moved = writer.register_msgdef("nav_msgs/msg/Odometry", odometry)
        for image, time_s in zip(images, times_s, strict=True):
            nanos = int((START_S + time_s) * 1e9)
            stamp = {"sec": START_S + int(time_s), "nanosec": round(time_s % 1 * 1e9)}
            head = {"stamp": stamp, "frame_id": "odom"}
            zero = {"x": 0.0, "y": 0.0, "z": 0.0}
            pose = {"position": {"x": time_s, "y": 0.0, "z": 0.0}, "orientation": zero | {"w": 1.0}}
            twist = {"twist": {"linear": zero, "angular": zero}, "covariance": [0.0] * 36}
            message = {
                "header": head,
                "child_frame_id": "base_link",
                "pose": {"pose": pose, "covariance": [0.0] * 36},
                "twist": twist,
            }
            png = _png(image)
            depth = cv2.imencode(".png", np.zeros((8, 8), np.uint16))[1].tobytes()
            writer.write_message("/odom", moved, message, log_time=nanos, publish_time=nanos)
            for topic, kind, data in (
                ("/depth/image_raw/compressedDepth", "16UC1; compressedDepth png", depth),
                ("/front/image_raw/compressed", "png", png),
            ):
                content = {"header": head, "format": kind, "data": data}
                writer.write_message(topic, picture, content, log_time=nanos, publish_time=nanos)
        writer.finish()

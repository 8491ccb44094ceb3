"""ROS messages into pictures, poses, states and actions; a bag and an MCAP file hold the same ones.

Read are sensor_msgs Image, CompressedImage and JointState, nav_msgs Odometry, geometry_msgs PoseStamped, Twist and
TwistStamped, tf2_msgs TFMessage (tf/tfMessage in ROS 1), and std_msgs String. Times are those of the messages'
headers, where they have one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image, Sensors
from hippocam.stream.sources.pictures.decoding import decode_image
from hippocam.stream.sources.video import LONGEST_PX

Doubles = NDArray[np.float64]
# Types by their short names: ROS 1 writes sensor_msgs/Image, ROS 2 sensor_msgs/msg/Image.
READ = frozenset(
    {
        "sensor_msgs/Image", "sensor_msgs/CompressedImage", "sensor_msgs/JointState", "nav_msgs/Odometry",
        "geometry_msgs/PoseStamped", "geometry_msgs/Twist", "geometry_msgs/TwistStamped", "tf2_msgs/TFMessage",
        "tf/tfMessage", "std_msgs/String",
    }
)  # fmt: skip
# Channels of 8 bits, and what makes them RGB.
_ENCODINGS: Mapping[str, tuple[int, str | None]] = {
    "rgb8": (3, None),
    "bgr8": (3, "COLOR_BGR2RGB"),
    "8uc3": (3, "COLOR_BGR2RGB"),
    "rgba8": (4, "COLOR_RGBA2RGB"),
    "bgra8": (4, "COLOR_BGRA2RGB"),
    "8uc4": (4, "COLOR_BGRA2RGB"),
    "mono8": (1, "COLOR_GRAY2RGB"),
    "8uc1": (1, "COLOR_GRAY2RGB"),
    "bayer_rggb8": (1, "COLOR_BayerBG2RGB"),
    "bayer_bggr8": (1, "COLOR_BayerRG2RGB"),
    "bayer_gbrg8": (1, "COLOR_BayerGR2RGB"),
    "bayer_grbg8": (1, "COLOR_BayerGB2RGB"),
    "yuv422": (2, "COLOR_YUV2RGB_UYVY"),
    "uyvy": (2, "COLOR_YUV2RGB_UYVY"),
    "yuyv": (2, "COLOR_YUV2RGB_YUY2"),
    "yuv422_yuy2": (2, "COLOR_YUV2RGB_YUY2"),
}
_DEPTH = re.compile(r"16uc1|32fc1|compresseddepth|.*depth")
# What is left of a topic's name besides what tells one camera from another.
_CAMERA = re.compile(r"/(image|image_raw|image_rect|image_color|image_rect_color|image_mono)?(/compressed)?$")
# What the numbers of a Twist are called.
_TWIST = tuple(f"{kind} {axis}" for kind in ("linear", "angular") for axis in "xyz")
_BASES = ("base_link", "base_footprint", "base", "body")


def short_type(name: str) -> str:
    """sensor_msgs/Image for both sensor_msgs/Image and sensor_msgs/msg/Image."""
    return name.replace("/msg/", "/")


def camera_name(topic: str) -> str:
    """Name of a camera by its topic: "camera_color" for /camera/color/image_raw."""
    name = _CAMERA.sub("", topic.rstrip("/") if topic.endswith("/compressed") else topic)
    return name.strip("/").replace("/", "_") or "camera"


def stamp_s(message: Any) -> float | None:
    """Time of a message's header, seconds; None where it has none, or an empty one."""
    header = getattr(message, "header", None)
    stamp = getattr(header, "stamp", None)
    if stamp is None:
        return None
    seconds = getattr(stamp, "sec", getattr(stamp, "secs", 0))
    nanos = getattr(stamp, "nanosec", getattr(stamp, "nsecs", 0))
    time_s = float(seconds) + 1e-9 * float(nanos)
    return time_s if time_s > 0 else None


def is_depth(kind: str, topic: str, message: Any) -> bool:
    """Whether an image message holds distances and no picture."""
    encoding = str(getattr(message, "encoding", getattr(message, "format", ""))).casefold()
    return _DEPTH.match(encoding) is not None or "depth" in re.split(r"[^a-z]+", topic.casefold())


def picture(kind: str, message: Any) -> Callable[[], Image | None]:
    """What decodes the picture of an Image or a CompressedImage; it gives None where that cannot be done."""
    if kind == "sensor_msgs/CompressedImage":
        return functools.partial(decode_image, bytes(message.data), LONGEST_PX)
    return functools.partial(_raw_picture, message)


def _raw_picture(message: Any) -> Image | None:
    encoding = str(message.encoding).casefold()
    rows = np.frombuffer(bytes(message.data), np.uint8)
    height, width, step = int(message.height), int(message.width), int(message.step)
    if encoding in ("mono16", "16uc1_mono") and rows.size >= height * step >= 2 * height * width > 0:
        wide = rows[: height * step].reshape(height, step)[:, : 2 * width].copy()
        order = ">u2" if message.is_bigendian else "<u2"
        return _fitted(cv2.cvtColor((wide.view(order) >> 8).astype(np.uint8), cv2.COLOR_GRAY2RGB))
    channels, conversion = _ENCODINGS.get(encoding, (0, None))
    if not channels or not rows.size >= height * step >= height * width * channels > 0:
        return None
    pixels = rows[: height * step].reshape(height, step)[:, : width * channels]
    pixels = np.ascontiguousarray(pixels.reshape(height, width, channels) if channels > 1 else pixels)
    try:
        return _fitted(pixels if conversion is None else cv2.cvtColor(pixels, getattr(cv2, conversion)))
    except cv2.error:
        return None


def _fitted(image: Any) -> Image:
    height, width = image.shape[:2]
    scale = LONGEST_PX / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    fitted: Image = np.ascontiguousarray(image)
    return fitted


class Known:
    """The newest state, action, pose and words of a log, message by message.

    Attributes:
        text: The words.
        state_names: What the numbers of the state are called.
        action_names: Likewise, those of the action.
    """

    def __init__(self) -> None:
        self._state: FloatArray | None = None
        self._action: FloatArray | None = None
        self._odometry: Doubles | None = None
        self._frames: dict[str, tuple[str, Doubles]] = {}  # child: parent, and the pose of the child in it
        self.text = ""
        self.state_names: Sequence[str] = ()
        self.action_names: Sequence[str] = ()

    @property
    def sensors(self) -> Sensors:
        """What is known now; the pose is that of the robot's base in the outermost frame, else odometry's."""
        base = self._base()
        return Sensors(state=self._state, action=self._action, pose=self._odometry if base is None else base)

    def take(self, kind: str, message: Any) -> None:
        """Take a message that is no picture."""
        if kind == "sensor_msgs/JointState":
            self._state, self.state_names = _finite(message.position), [str(name) for name in message.name]
        elif kind in ("geometry_msgs/Twist", "geometry_msgs/TwistStamped"):
            twist = message.twist if kind == "geometry_msgs/TwistStamped" else message
            self._action, self.action_names = _finite([*_xyz(twist.linear), *_xyz(twist.angular)]), _TWIST
        elif kind in ("nav_msgs/Odometry", "geometry_msgs/PoseStamped"):
            pose = message.pose.pose if kind == "nav_msgs/Odometry" else message.pose
            self._odometry = _pose([*_xyz(pose.position), *_xyz(pose.orientation), pose.orientation.w])
        elif kind == "std_msgs/String":
            self.text = str(message.data)[:2000]
        else:
            for each in message.transforms:
                moved = each.transform
                pose = _pose([*_xyz(moved.translation), *_xyz(moved.rotation), moved.rotation.w])
                if pose is not None:
                    child = str(each.child_frame_id).strip("/")
                    self._frames[child] = (str(each.header.frame_id).strip("/"), pose)

    def _base(self) -> Doubles | None:
        """Pose of the robot's base in the outermost frame; None where no transform leads to one."""
        frame = next((name for name in _BASES if name in self._frames), None)
        if frame is None:
            return None
        pose, passed = self._frames[frame][1], {frame}
        frame = self._frames[frame][0]
        while frame in self._frames and frame not in passed:
            passed.add(frame)
            pose, frame = _chained(self._frames[frame][1], pose), self._frames[frame][0]
        return pose


def _xyz(vector: Any) -> list[float]:
    return [float(vector.x), float(vector.y), float(vector.z)]


def _finite(numbers: Any) -> FloatArray | None:
    values: FloatArray = np.asarray(numbers, np.float32).reshape(-1)
    return values if len(values) and np.isfinite(values).all() else None


def _pose(numbers: Sequence[float]) -> Doubles | None:
    """A pose [7]; in float32 a map's large numbers would lose centimetres."""
    pose: Doubles = np.array(numbers, np.float64)
    return pose if np.isfinite(pose).all() else None


def _chained(outer: Doubles, inner: Doubles) -> Doubles:
    """The pose of what stands at `inner` in a frame that stands at `outer`; [7] each."""
    axis, w = outer[3:6], float(outer[6])
    x = inner[:3]
    turned = x + 2 * w * np.cross(axis, x) + 2 * np.cross(axis, np.cross(axis, x))
    axis2, w2 = inner[3:6], float(inner[6])
    rotation = [*(w * axis2 + w2 * axis + np.cross(axis, axis2)), w * w2 - float(axis @ axis2)]
    pose: Doubles = np.array([*(outer[:3] + turned), *rotation])
    return pose

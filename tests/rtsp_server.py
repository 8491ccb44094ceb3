"""A real RTSP server (GStreamer's) for tests, run by a Python that has its bindings: rtsp_server.py PORT.

It shows one colour at rtsp://127.0.0.1:PORT/cam as H.264, and is silent, as G.711 A-law. Lines on stdin change
that: "red", "blue" and so on, "size 320x180", "loud", several of them with commas between. Prints "ready" once it
listens. Needs Debian's gir1.2-gst-rtsp-server-1.0, gir1.2-gst-plugins-base-1.0 and
gstreamer1.0-plugins-{base,good,ugly}.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

COLOURS = {"red": 0xFFDC1E1E, "green": 0xFF28A03C, "blue": 0xFF2850D2, "yellow": 0xFFF5E128, "white": 0xFFFAFAFA}
FPS = 15
LAUNCH = (
    "( videotestsrc name=source is-live=true pattern=solid-color ! capsfilter name=size ! "
    f"x264enc tune=zerolatency speed-preset=ultrafast key-int-max={FPS} ! rtph264pay name=pay0 pt=96 "
    "audiotestsrc name=tone is-live=true volume=0 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! "
    "alawenc ! rtppcmapay name=pay1 pt=8 )"
)


class Shown:
    """What the server shows, for those who come later and for those who watch."""

    def __init__(self):
        self.colour, self.size, self.volume, self.media = "green", "320x240", 0.0, []

    def configure(self, factory, media):
        self.media.append(media)
        self.apply(media)

    def apply(self, media):
        element = media.get_element()
        element.get_by_name_recurse_up("source").set_property("foreground-color", COLOURS[self.colour])
        element.get_by_name_recurse_up("tone").set_property("volume", self.volume)
        width, height = self.size.split("x")
        caps = Gst.Caps.from_string(f"video/x-raw,width={width},height={height},framerate={FPS}/1")
        element.get_by_name_recurse_up("size").set_property("caps", caps)

    def command(self, line):
        for told in line.split(", "):  # at once
            if told in COLOURS:
                self.colour = told
            elif told.startswith("size "):
                self.size = told.split()[1]
            elif told == "loud":
                self.volume = 0.8
        for media in self.media[-1:]:
            self.apply(media)


def main():
    Gst.init(None)
    loop, shown = GLib.MainLoop(), Shown()
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(LAUNCH)
    factory.set_shared(True)
    factory.connect("media-configure", shown.configure)
    server.get_mount_points().add_factory("/cam", factory)
    if server.attach(None) == 0:
        sys.exit("no address")
    print("ready", flush=True)

    def listen():
        for line in sys.stdin:
            GLib.idle_add(shown.command, line.strip())
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()

"""Standing questions: when they fire, what they write, what they post."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from hippocam.apps.errors import SettingsError
from hippocam.apps.live.alerts import Alerts
from hippocam.apps.live.alerts_file import read_alerts
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.live.triggers import BeliefTrigger, Look
from hippocam.apps.live.webhook import Webhook
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding, Repeat, Sensed, Thing
from hippocam.stream.zones.polygons import CameraZones


def fired(beliefs, **settings):
    trigger = BeliefTrigger(AlertConfig(text="x", **settings))
    return [time_s for time_s, shown in beliefs if trigger.see(Look(time_s, shown))]


def test_it_fires_once_however_long_it_is_shown():
    assert fired([(i, 0.9) for i in range(1000)]) == [1]


def test_one_picture_is_no_proof():
    assert fired([(i, 0.9 if i % 2 else 0.1) for i in range(100)]) == []
    assert fired([(0, 0.9)] + [(i, 0.1) for i in range(1, 9)], pictures=1) == [0]
    assert fired([(0, 0.9), (1, None)]) == [1]  # the next picture shows just the same


def test_a_belief_around_the_threshold_does_not_flutter():
    waver = [(i, 0.7 if i % 2 else 0.5) for i in range(100)]
    assert fired(waver, threshold=0.6, release=0.4) == [3]
    assert len(fired(waver, threshold=0.6, release=0.6, pictures=1, cooldown_s=0)) == 50


def test_it_fires_again_after_it_was_gone_and_the_pause_is_over():
    shown = [(0, 0.9), (1, 0.9), (2, 0.1), (3, 0.1), (4, 0.9), (5, 0.9), (6, 0.1), (7, 0.1), (70, 0.9), (71, 0.9)]
    assert fired(shown, cooldown_s=0) == [1, 5, 71]
    assert fired(shown) == fired(shown, cooldown_s=60) == [1, 71]


def test_it_waits_until_it_was_shown_for_long_enough():
    passing = [(0, 0.9), (1, 0.9), (2, 0.1)]
    stopping = [(10, 0.9), (11, None), (12, None), (13, None), (14, 0.1)]
    assert fired([*passing, *stopping], hold_s=3) == [13]


def test_what_was_shown_before_a_gap_counts_no_more():
    trigger = BeliefTrigger(AlertConfig(text="x", hold_s=3))
    trigger.see(Look(0, 0.9))
    trigger.lose()
    assert not trigger.see(Look(100, None))
    assert not trigger.see(Look(101, 0.9))
    assert trigger.see(Look(104, 0.9))


# what the detector knows -----------------------------------------------------------------------------------------

STANDS, GATE, LAWN = (0.1, 0.2, 0.3, 0.9), (0.6, 0.2, 0.8, 0.9), (0.1, 0.1, 0.2, 0.3)
ZONES = {"yard": CameraZones(zones={"gate": [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]})}


def scene(things, stream="yard", belief=0.0, start_s=0):
    """A frame a second: what the detector finds in each, beside what the encoder believes of "red" things."""
    rng = np.random.default_rng(0)
    wall = rng.integers(60, 190, (90, 160, 3)).astype(np.uint8)
    red, green = (PaletteEncoder().encode_images([np.full((9, 9, 3), c, np.uint8)]).vectors_ND[0]
                  for c in ((220, 30, 30), (40, 160, 60)))  # fmt: skip
    for second, found in enumerate(things):
        image = wall.copy()
        for x0, y0, x1, y1 in (thing.box for thing in found):
            image[round(y0 * 90) : round(y1 * 90), round(x0 * 160) : round(x1 * 160)] = (30, 30, 160)
        jpeg = cv2.imencode(".jpg", image)[1].tobytes()
        yield Embedding(
            stream=stream, seq=start_s + second, time_s=1_800_000_000.0 + start_s + second, jpeg=jpeg,
            vector=red if belief > 0.5 else green, sensed=Sensed(things=tuple(found)),
        )  # fmt: skip


def a(label, who=0, box=STANDS, score=0.8, colours=()):
    return Thing(label=label, score=score, box=box, vector=np.eye(16, dtype=np.float32)[who], colours=colours)


def told(tmp_path, items, **settings):
    """Seconds at which an alert was told, and what it says."""
    place = LiveFolder(tmp_path / "m")
    place.make()
    alerts = Alerts([AlertConfig(**settings)], PaletteEncoder(), place, detects=True, zones=ZONES)
    return [(round(row["time_s"] - 1_800_000_000), row) for item in items for row in alerts.see(item)]


def test_each_visit_is_told_once_however_soon_the_next_one_comes(tmp_path):
    """Seven visitors of five seconds, four seconds apart; a pause by the clock missed five of them."""
    items = scene([[a("person", who)] if k < 5 else [] for who in range(7) for k in range(9)])
    found = told(tmp_path, items, text="tell me when a person comes")
    assert [second for second, _ in found] == [9 * who + 1 for who in range(7)]
    assert {row["label"] for _, row in found} == {"person"}
    assert found[0][1]["box"] == list(STANDS)


def test_what_the_detector_does_not_see_is_not_told_whatever_the_encoder_believes(tmp_path):
    items = [*scene([[]] * 9, belief=0.9)]
    assert told(tmp_path / "a", items, text="a red elephant") == []
    assert told(tmp_path / "b", items, text="red")  # no thing: the encoder alone tells


def test_one_detection_is_no_visit(tmp_path):
    assert told(tmp_path, scene([[], [a("elephant", score=0.66)], [], [], [], []]), text="an elephant") == []


def test_more_than_a_name_needs_the_encoder_and_no_other_colour(tmp_path):
    blue, red = ([[a("car", colours=(colour,))]] * 5 for colour in ("blue", "red"))
    assert told(tmp_path / "a", scene(blue, belief=0.9), text="a red car") == []
    assert told(tmp_path / "b", scene(red, belief=0.0), text="a red car") == []
    ((second, row),) = told(tmp_path / "c", scene(red, belief=0.9), text="a red car")
    assert second == 2
    assert row["belief"] > 0.6


def test_other_zones_count_from_when_they_are_marked(tmp_path):
    place = LiveFolder(tmp_path / "m")
    place.make()
    question = AlertConfig(text="a person", zone="gate")
    alerts = Alerts([question], PaletteEncoder(), place, detects=True, zones=ZONES)
    items = list(scene([[a("person", box=STANDS)]] * 6))
    assert not any(alerts.see(item) for item in items[:3])
    alerts.mark("yard", CameraZones(zones={"gate": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}))
    assert any(alerts.see(item) for item in items[3:])


def test_a_zone_holds_what_stands_in_it(tmp_path):
    beside, within = [[a("person")]] * 4, [[a("person", 1, GATE)]] * 4
    assert told(tmp_path / "a", scene(beside), text="a person", zone="gate") == []
    ((second, row),) = told(tmp_path / "b", scene([*beside, *within]), text="a person", zone="gate")
    assert second == 5
    assert row["zone"] == "gate"
    assert told(tmp_path / "c", scene(within, stream="hall"), text="a person", zone="gate") == []
    with pytest.raises(SettingsError, match="no camera has a zone 'door'; there are gate"):
        told(tmp_path / "d", [], text="a person", zone="door")
    with pytest.raises(SettingsError, match="only what the detector knows"):
        told(tmp_path / "e", [], text="smoke", zone="gate")


def seen(stream, seq, time_s, colour):
    encoded = PaletteEncoder().encode_images([np.full((9, 9, 3), colour, np.uint8)])
    return Embedding(stream=stream, seq=seq, time_s=time_s, vector=encoded.vectors_ND[0], jpeg=b"\xff\xd8picture")


def test_an_alert_is_written_with_its_picture_and_posted(tmp_path):
    place, posted = LiveFolder(tmp_path / "m"), []
    place.make()
    hook = Webhook("http://127.0.0.1:1/x", lambda url, body: posted.append(json.loads(body)))
    config = AlertConfig(text="tell me when something red comes", streams=("door",))
    alerts = Alerts([config], PaletteEncoder(), place, hook)
    assert not alerts.see(seen("door", 0, 1_800_000_000.0, (40, 160, 60)))
    assert not alerts.see(seen("yard", 0, 1_800_000_001.0, (220, 30, 30)))
    assert not alerts.see(seen("door", 1, 1_800_000_001.0, (220, 30, 30)))
    (alert,) = alerts.see(seen("door", 2, 1_800_000_001.25, (220, 30, 30)))
    assert not alerts.see(Repeat(stream="door", seq=3, time_s=1_800_000_002.0))
    hook.close()
    assert posted == [alert] == [json.loads(line) for line in place.alerts.read_text().splitlines()]
    assert alert["time"] == "2027-01-15T08:00:01.250+00:00"
    assert (alert["stream"], alert["text"]) == ("door", config.text)
    assert alert["belief"] > 0.6
    assert Path(alert["image"]).read_bytes() == b"\xff\xd8picture"


def test_a_webhook_that_hangs_keeps_nobody_waiting_and_drops_the_oldest():
    free, sent = threading.Event(), []

    def send(url, body):
        free.wait(600)
        sent.append(json.loads(body)["n"])

    hook = Webhook("http://h/x", send)
    for n in range(200):
        hook.post({"n": n})
    assert not sent  # all were taken while the first still hung
    free.set()
    hook.close()
    assert hook.dropped + len(sent) == 200
    assert hook.dropped >= 200 - 66
    assert sent[-1] == 199


def test_a_webhook_tries_again_and_gives_up():
    tried = []

    def send(url, body):
        tried.append(json.loads(body)["n"])
        if tried[-1] == 1 or len(tried) == 1:
            raise OSError("refused")

    hook = Webhook("https://h/x", send, pause_s=0)
    hook.post({"n": 0})
    hook.post({"n": 1})
    hook.post({"n": 2})
    hook.close()
    assert tried == [0, 0, 1, 1, 1, 2]
    assert (hook.sent, hook.failed) == (2, 1)


def test_a_real_server_gets_the_alert_as_json():
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        hook = Webhook(f"http://127.0.0.1:{server.server_port}/alerts", private=True)
        hook.post({"text": "Straße"})
        hook.close()
        thread.join()
    assert got == [("application/json", '{"text": "Straße"}'.encode())]
    assert hook.sent == 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.5", "169.254.169.254", "[::1]", "[fe80::1]", "0.0.0.0",
     "[::ffff:10.0.0.1]", "2130706433", "100.64.0.1", "[::127.0.0.1]", "[64:ff9b::169.254.169.254]",
     "[64:ff9b:1::a]", "[2002:c0a8:101::1]", "[fec0::1]"],
)  # fmt: skip
def test_a_private_address_must_be_allowed(host):
    with pytest.raises(HippocamError, match="--webhook-private"):
        Webhook(f"http://{host}:9/x")


def test_a_name_that_turns_private_later_is_not_posted_to(monkeypatch):
    where = ["93.184.216.34", "127.0.0.1"]
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda host, port, **_: [(2, 1, 6, "", (where.pop(0) if where else "10.0.0.1", port))],
    )
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("connected"))
    hook = Webhook("http://rebinding.example/x", pause_s=0)
    hook.post({"n": 1})
    hook.close()
    assert (hook.sent, hook.failed) == (0, 1)


def test_a_redirect_is_not_followed():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        hook = Webhook(f"http://127.0.0.1:{server.server_port}/alerts?a=1", private=True, pause_s=0)
        hook.post({"n": 1})
        hook.close(timeout_s=60)
        server.shutdown()
        thread.join()
    assert asked == ["/alerts?a=1"] * 3
    assert (hook.sent, hook.failed) == (0, 1)


def test_a_webhook_must_be_an_address():
    with pytest.raises(HippocamError, match="--webhook"):
        Webhook("file:///etc/passwd")


def test_standing_questions_are_read_from_a_file(tmp_path):
    path = tmp_path / "alerts.yaml"
    path.write_text("- text: a truck\n  hold_s: 3\n  streams: [door]\n- text: a dog\n")
    truck = AlertConfig(text="a truck", hold_s=3, streams=["door"])
    assert read_alerts(path) == [truck, AlertConfig(text="a dog")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text: a truck", "expected a list"),
        ("- text: a truck\n  treshold: 1", "alert 1: unknown key 'treshold'. Did you mean 'threshold'"),
        ("- text: a truck\n  threshold: 2", "threshold must be above 0 up to 1"),
        ("- text: ' '", "text is empty"),
        ("- [", "not YAML"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_key(tmp_path, text, message):
    path = tmp_path / "alerts.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="--alerts"):
        read_alerts(path)
    with pytest.raises(SettingsError) as error:
        read_alerts(path)
    assert message in str(error.value)

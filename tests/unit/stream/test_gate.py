import numpy as np

from hippocam.stream.gate import ChangeGate, GateConfig, Glance


def picture(colour, size=(90, 160)):
    return np.full((*size, 3), colour, np.uint8)


RED = picture((220, 30, 30))


def changes(gate, image):
    return gate.changed(Glance(image))


def test_the_gate_passes_what_differs_from_the_last_kept_frame():
    gate = ChangeGate()
    assert changes(gate, RED)
    noise = np.random.default_rng(0).integers(-6, 7, RED.shape)
    assert not changes(gate, (RED + noise).clip(0, 255).astype(np.uint8))
    person = RED.copy()
    person[30:50, 20:26] = 0  # 0.8 % of the picture
    assert changes(gate, person)
    assert changes(gate, RED)


def test_slow_drift_adds_up_until_the_gate_notices():
    gate = ChangeGate()
    kept = [level for level in range(100, 160) if changes(gate, picture(level))]
    assert kept[0] == 100
    assert set(np.diff(kept)) == {GateConfig().level + 1}


def test_the_gate_takes_a_change_of_resolution():
    gate = ChangeGate()
    assert changes(gate, RED)
    assert not changes(gate, picture((220, 30, 30), (180, 320)))

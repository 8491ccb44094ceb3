"""What is worth keeping is learned from made-up streams where it is known, and proves itself or gets no weight."""

from dataclasses import replace

import numpy as np
import pytest

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.priors import load_prior, prior_path, save_prior
from hippocam.memory.bank.utility import FADE_POWER, FADE_S, MIN_AGAIN, Prior, Utility
from hippocam.memory.longterm.intake import strengthened
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Slot, Span
from hippocam.memory.store.database import Store
from hippocam.memory.trained import SHIPPED
from hippocam.memory.training.consolidation import (
    TrainConfig,
    auc,
    closed_form,
    train_consolidation,
)
from hippocam.memory.training.labels import _FADE_POWER, _FADE_S, fit_fade, label, meetings, strengthened_by
from hippocam.memory.training.report import report_lines, write
from hippocam.memory.training.stored_streams import streams_from_memory
from hippocam.memory.training.streams import TrainingStream, pointed_at
from hippocam.memory.training.validation import WITHOUT, Part, choose_events, remember, rules, try_out, with_prior
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec

D, RANK = 24, 8
CONFIG = TrainConfig(rows=16, epochs=12, batch=128)
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def inside(rng, count):
    """Keys of things that come again: in the first dimensions, nearly."""
    keys = 0.05 * rng.normal(size=(count, D))
    keys[:, :RANK] += rng.normal(size=(count, RANK))
    return unit(keys)


def outside(rng, count):
    """Keys of things that never do."""
    keys = 0.05 * rng.normal(size=(count, D))
    keys[:, RANK:] += rng.normal(size=(count, D - RANK))
    return unit(keys)


def stream_of(keys, times, **fields):
    """A stream of events of 5 s; their surprise says nothing."""
    order = np.argsort(times, kind="stable")
    count = len(keys)
    surprises = np.random.default_rng(count).uniform(0.4, 0.9, size=count)
    return TrainingStream(
        keys_ND=keys[order],
        surprises_N=surprises,
        utilities_N=surprises / 0.65,
        places_N=np.ones(count, np.int64),
        t0_N=times[order].astype(float),
        t1_N=times[order] + 5.0,
        **fields,
    )


def made_up(seed, things=40, others=240):
    """Things that are shown two or three times, among others that are shown once."""
    rng = np.random.default_rng(seed)
    again = inside(rng, things)
    showings = np.repeat(again, rng.integers(2, 4, size=things), axis=0)
    keys = np.concatenate([unit(showings + 0.03 * rng.normal(size=showings.shape)), outside(rng, others)])
    times = 10.0 * rng.permutation(len(keys))
    return stream_of(keys, times)


@pytest.fixture(scope="module")
def streams():
    return [made_up(seed) for seed in range(8)]


@pytest.fixture(scope="module")
def trained(streams):
    return train_consolidation(streams, CONFIG, progress=False)


def parts_of(streams):
    met = [meetings(stream, BankConfig()) for stream in streams]
    return [Part(stream=s, met=m, labels=label(s, m)) for s, m in zip(streams, met, strict=True)]


# the energy -------------------------------------------------------------------------------------------------


def test_the_energy_tells_what_comes_again_from_what_does_not(trained):
    rng = np.random.default_rng(99)
    assert auc(trained.prior.energy(inside(rng, 500)), trained.prior.energy(outside(rng, 500))) > 0.9
    assert trained.auc["surprise"] == pytest.approx(0.5, abs=0.1)
    assert trained.auc["trained"] > 0.9


def test_the_same_seed_gives_the_same_file(streams, trained, tmp_path):
    again = train_consolidation(streams, CONFIG, progress=False)
    files = [
        write(one, "test:1", tmp_path / name, data="made up", command="none", limits="all")
        for name, one in (("a", trained), ("b", again))
    ]
    for a, b in zip(*files, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_another_seed_gives_nearly_the_same_energy(streams, trained):
    other = train_consolidation(streams, replace(CONFIG, seed=1), progress=False)
    assert not np.array_equal(other.prior.rows, trained.prior.rows)
    keys = unit(np.random.default_rng(5).normal(size=(500, D)))
    assert np.corrcoef(other.prior.energy(keys), trained.prior.energy(keys))[0, 1] > 0.95


def test_training_leaves_torch_as_it_was(streams):
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(3)
    try:
        train_consolidation(streams[:4], replace(CONFIG, epochs=1), progress=False)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_written_is_what_a_memory_loads(trained, tmp_path):
    path, card = write(
        trained, SPEC.id, tmp_path, data="Made up.", command="train it", limits="None of it is true."
    )
    assert path == prior_path(SPEC.id, tmp_path)
    assert path.stat().st_mode & 0o444 == 0o444
    loaded = load_prior(SPEC, tmp_path)
    assert np.array_equal(loaded.rows, trained.prior.rows)
    assert np.array_equal(loaded.signs, trained.prior.signs)
    assert loaded.events == trained.prior.events
    assert (loaded.fade_s, loaded.fade_power) == pytest.approx((trained.prior.fade_s, trained.prior.fade_power))
    assert load_prior(replace(SPEC, dim=D + 1), tmp_path) is None
    assert all(part in card.read_text() for part in ("Made up.", "train it", "None of it is true.", WITHOUT))


def test_what_a_user_trained_comes_before_what_ships(tmp_path, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_DATA", str(tmp_path))
    spec = replace(SPEC, id="synthetic-64", dim=64)
    shipped = load_prior(spec)
    assert shipped is not None
    own = replace(shipped, events=12345.0)
    save_prior(own, spec.id, tmp_path)
    assert load_prior(spec).events == 12345.0
    assert load_prior(spec, SHIPPED).events == shipped.events


def test_the_report_names_every_trial_and_the_verdict(trained):
    text = "\n".join(report_lines(trained))
    assert all(trial.name in text for trial in trained.trials)
    assert f"worth {trained.prior.events:g} events" in text


def test_a_few_long_streams_are_cut_into_pieces(streams):
    assert train_consolidation([made_up(3, things=120, others=700)], CONFIG, progress=False).streams == 4
    assert train_consolidation(streams[:3], replace(CONFIG, epochs=1), progress=False).streams == 6


@pytest.mark.parametrize("few", [[], [made_up(1, things=2, others=40)]])
def test_too_little_to_learn_from_is_an_error_that_says_so(few):
    with pytest.raises(HippocamError, match=r"too few .* watch more"):
        train_consolidation(few, CONFIG, progress=False)


# labels -----------------------------------------------------------------------------------------------------


def test_met_again_is_later_than_a_while_and_only_the_first_part_is_judged():
    rng = np.random.default_rng(0)
    keys = outside(rng, 103)
    keys[101], keys[102] = keys[0], keys[50]  # 0 is shown again much later, 50 at once
    times = np.concatenate([10.0 * np.arange(101), [600.0, 502.0]])
    stream = stream_of(keys, times)
    met = meetings(stream, BankConfig())
    first, again = 0, int(np.flatnonzero(stream.t0_N == 600)[-1])
    assert met.next_N[first] == again or stream.t0_N[met.next_N[first]] == 600
    assert met.next_N[stream.t0_N == 500].tolist() == [-1]
    labels = label(stream, met)
    assert np.flatnonzero(labels.worth_N).tolist() == [0]
    assert labels.judged_N.tolist() == (stream.t0_N < 700).tolist()
    assert met.strength_N[met.next_N[first]] == pytest.approx(2, abs=1e-3)
    assert met.thing_N[met.next_N[first]] == 0


def test_the_threshold_is_that_of_all_pairs():
    keys = unit(np.random.default_rng(1).normal(size=(300, D)) + 0.5)
    cosines = (keys @ keys.T)[np.triu_indices(300, 1)]
    config = BankConfig(same=1.5, alike=1.0, least_same=-1.0, most_same=1.0)
    found = meetings(stream_of(keys, 10.0 * np.arange(300)), config).same_at
    assert found == pytest.approx(cosines.mean() + 1.5 * cosines.std(), abs=1e-4)


def test_what_questions_point_at_is_worth_keeping():
    rng = np.random.default_rng(2)
    keys = unit(rng.normal(size=(50, D)))
    pointed = pointed_at(keys, keys, np.concatenate([keys[:10]] * 3))
    assert pointed.sum() == pytest.approx(50)
    assert set(np.argsort(-pointed)[:10]) == set(range(10))
    stream = stream_of(keys, 10.0 * np.arange(50), pointed_N=pointed)
    assert np.flatnonzero(label(stream, meetings(stream, BankConfig())).worth_N).tolist() == list(range(10))


def test_strength_grows_as_that_of_an_entry():
    def entry(strength):
        return Entry(
            id=1, stream="s", t0_s=0, t1_s=5, known_s=5, frame_s=0, surprise=1, utility=1, labels=(), text="",
            frames=1, repeats=0, jpeg_bytes=0, strength=strength, spans=(Span(t0_s=0, t1_s=5, known_s=5),),
        )  # fmt: skip

    for strength in (1.0, 2.5, 7.0):
        for now_s in (0.0, 5.0, 30.0, 300.0, 1e6):
            assert strengthened_by(strength, now_s - 5) == pytest.approx(strengthened(entry(strength), now_s))


# decay ------------------------------------------------------------------------------------------------------


def recurring(seed, gaps, things=60, span=20_000.0):
    """Things that come again after gaps that are drawn for each."""
    rng = np.random.default_rng(seed)
    keys, times = [], []
    for key in unit(rng.normal(size=(things, 64))):
        at = float(rng.uniform(0, span / 2))
        for gap in (0.0, *gaps(rng)):
            at += gap
            if at < span:
                keys.append(key)
                times.append(at)
    return stream_of(unit(np.stack(keys)), np.array(times))


def fade_of(gaps):
    streams = [recurring(seed, gaps) for seed in range(6)]
    return fit_fade(streams, [meetings(stream, BankConfig()) for stream in streams], BankConfig())


def test_decay_follows_how_soon_things_come_again():
    steady = fade_of(lambda rng: rng.exponential(4000.0, size=12))
    soon_or_never = fade_of(lambda rng: rng.exponential(150.0, size=rng.integers(0, 3)))
    assert steady.fade_power <= 0.2
    assert soon_or_never.fade_power >= 0.5


@pytest.mark.parametrize("fade_s", [_FADE_S[0], _FADE_S[12], _FADE_S[-1]])
@pytest.mark.parametrize("power", [_FADE_POWER[0], _FADE_POWER[3], _FADE_POWER[-1]])
def test_no_decay_that_can_be_fitted_rises_with_age_or_falls_with_strength(fade_s, power):
    prior = Prior(
        rows=np.zeros((1, D), np.float32),
        signs=np.ones(1, np.float32),
        events=0.0,
        fade_s=float(fade_s),
        fade_power=float(power),
    )
    bank = Bank(D, BankConfig(), Utility(D, prior))
    keys = unit(np.random.default_rng(0).normal(size=(20, D)))
    for number in range(20):
        bank.add(
            Slot(
                entry_id=number, stream="s", place=1, key_D=keys[number], utility=1.0,
                last_s=1000.0 * (number // 4), strength=1.0 + number % 4,
            )
        )  # fmt: skip
    decay = np.array([bank.explain(number).decay for number in range(20)]).reshape(5, 4)
    assert (np.diff(decay, axis=0) >= 0).all()
    assert (np.diff(decay, axis=1) >= -1e-12).all()
    assert decay.min() > 0
    assert decay.max() <= 1


def test_nothing_met_again_keeps_the_usual_decay():
    stream = stream_of(np.eye(D, dtype=np.float32), 100.0 * np.arange(D))
    fade = fit_fade([stream], [meetings(stream, BankConfig())], BankConfig())
    assert (fade.fade_s, fade.fade_power) == (FADE_S, FADE_POWER)


def test_the_bank_takes_the_learned_decay_where_its_config_says_nothing_else():
    prior = Prior(
        rows=np.zeros((1, D), np.float32), signs=np.ones(1, np.float32), events=0.0, fade_s=100.0, fade_power=0.5
    )
    decays = []
    for config, given in (
        (BankConfig(), prior),
        (BankConfig(fade_s=100.0, fade_power=0.5), None),
        (BankConfig(), None),
        (BankConfig(fade_s=FADE_S, fade_power=FADE_POWER), prior),
    ):
        bank = Bank(D, config, Utility(D, given))
        for number in (0, 1):
            key = np.eye(D, dtype=np.float32)[number]
            bank.add(Slot(entry_id=number, stream="s", place=1, key_D=key, utility=1.0, last_s=300.0 * number))
        decays.append(bank.explain(0).decay)
    assert decays == pytest.approx([0.5, 0.5, decays[3], decays[3]])
    assert decays[3] > 0.99


# validation -------------------------------------------------------------------------------------------------


def test_a_prior_that_helps_is_given_weight(trained):
    trials = {trial.name: trial for trial in trained.trials}
    assert trained.prior.events in CONFIG.events
    assert trials[with_prior(trained.prior.events)].recall > trials[WITHOUT].recall + 0.05


@pytest.mark.parametrize("wrong", ["other directions", "the opposite"])
def test_a_prior_of_another_space_is_given_none(streams, trained, wrong):
    prior = trained.prior
    if wrong == "other directions":  # of which as many lie where things come again as anywhere
        prior = replace(prior, rows=np.roll(prior.rows, 6, axis=1))
    else:
        prior = replace(prior, signs=-prior.signs)
    held_out = parts_of(streams[3::4])
    trials = {
        name: try_out(name, bank, tried, held_out, 0)
        for name, (bank, tried) in rules(prior, CONFIG.events, BankConfig()).items()
    }
    assert choose_events(trials, CONFIG.events) == 0


def test_without_weight_the_prior_changes_nothing(streams, trained):
    bank = BankConfig(arm="product")
    one, other = (
        remember(streams[0], bank, prior, 60)
        for prior in (None, replace(trained.prior, events=0.0, fade_s=FADE_S, fade_power=FADE_POWER))
    )
    assert np.array_equal(one[0], other[0])


def test_a_stream_is_remembered_in_the_room_there_is(streams):
    keys, spans = remember(streams[0], BankConfig(), None, 30)
    assert len(keys) == len(spans) == 30
    assert all(len(own) <= 4 for own in spans)
    times = set(streams[0].t0_N)
    assert all(span.t0_s in times for own in spans for span in own)


def test_what_is_not_online_goes_by_the_prior_alone(trained):
    rng = np.random.default_rng(4)
    silent = Utility(D, replace(trained.prior, events=100.0), online=False)
    for key in outside(rng, 5 * MIN_AGAIN):
        silent.learn(key, again=True)
    assert silent.again.count == silent.all.count == 0
    energies = silent.energies(np.concatenate([inside(rng, 100), outside(rng, 100)]))
    silent.level(energies)
    assert silent.of(energies)[:100].mean() > silent.of(energies)[100:].mean() + 0.1


def test_the_closed_form_is_the_difference_of_the_moments(streams):
    parts = parts_of(streams[:2])
    prior = closed_form(parts, D)
    keys = np.concatenate([p.stream.keys_ND[p.labels.judged_N] for p in parts]).astype(float)
    worthy = np.concatenate([p.labels.worth_N[p.labels.judged_N] for p in parts])
    difference = keys[worthy].T @ keys[worthy] / worthy.sum() - keys.T @ keys / len(keys)
    probe = unit(np.random.default_rng(6).normal(size=(20, D)))
    assert prior.energy(probe) == pytest.approx(np.einsum("nd,de,ne->n", probe, difference, probe), abs=1e-5)


# from memories ----------------------------------------------------------------------------------------------


def test_a_memory_gives_an_event_for_each_span_and_what_was_asked_of_it(tmp_path, frames_of):
    axes = np.eye(D, dtype=np.float32)
    seen = [(at + t, axes[axis]) for at, axis in ((0, 0), (5, 1), (10, 2), (100, 1), (105, 3)) for t in range(5)]
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        memory.write(frames_of("cam", seen))
        memory.finish("cam")
    store = Store(tmp_path / "m" / "memory.db", writable=True)
    with store.transaction():
        store.probes.add("question", "cam", 10.0, 15.0, axes[2], keep=10)
        store.probes.add("view", "cam", 5.0, 10.0, axes[1], keep=10)
    spans = sum(len(store.entries.get(slot.entry_id).spans) for slot in store.entries.slots())
    store.close()
    spec, (stream,) = streams_from_memory(tmp_path / "m")
    assert spec == SPEC
    assert len(stream) == spans
    assert {0.0, 5.0, 10.0, 100.0} <= set(stream.t0_N)
    assert stream.pointed_N[stream.t0_N == 10] == 1
    assert stream.pointed_N.sum() == 1
    assert streams_from_memory(tmp_path / "m", axes[:2])[1][0].pointed_N.sum() == pytest.approx(len(stream) + 1)


def test_no_memory_is_an_error(tmp_path):
    with pytest.raises(HippocamError, match="no memory here"):
        streams_from_memory(tmp_path)

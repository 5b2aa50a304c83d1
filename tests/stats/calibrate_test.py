# SPDX-License-Identifier: Apache-2.0
"""The calibration in small: the protocol passes, and one that is broken on purpose does not."""
import os
import subprocess


def calibrate(*arguments):
    return subprocess.run([os.environ["CALIBRATE"], *arguments], capture_output=True, text=True, timeout=240)


def test_the_protocol_passes():
    done = calibrate("--experiments", "1000")
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) == 1 + 6 * 4 + 1


def test_all_of_a_before_all_of_b_fails():
    done = calibrate("--experiments", "300", "--mutate", "order")
    assert done.returncode == 1
    assert "FALSE ALARMS" in done.stdout and "COVERAGE" in done.stdout and "WRONG DIRECTION" in done.stdout


def test_a_look_after_every_pair_fails():
    done = calibrate("--experiments", "1000", "--mutate", "look")
    assert done.returncode == 1
    assert "FALSE ALARMS" in done.stdout


def test_the_same_seed_prints_the_same_table():
    runs = [calibrate("--experiments", "20", "--seed", seed).stdout for seed in ("7", "7", "8")]
    assert runs[0] == runs[1] != runs[2]


def test_a_wrong_command_line_is_a_usage_error():
    for arguments in (["--mutate", "nothing"], ["--experiments", "0"], ["more"]):
        assert calibrate(*arguments).returncode == 2

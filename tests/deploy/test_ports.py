"""Ports of private servers: processes that start servers at the same time are never given the same one."""

import socket
import subprocess
import sys

import pytest

from deploy.local.ports import BLOCK, Ports, free_ports

CHOOSE = "from deploy.local.ports import free_ports; print(*free_ports({count}), flush=True); input()"


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(5) for port in free_ports(20)]
    assert len(set(given)) == len(given)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ports are chosen at random")
def test_processes_that_run_at_once_are_given_different_ports() -> None:
    """Of 720 ports chosen at random among 12,700, about twenty would be given twice."""
    command = [sys.executable, "-c", CHOOSE.format(count=60)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(12)
    ]
    given = []
    for process in running:
        assert process.stdout
        given += process.stdout.readline().split()
    for process in running:
        process.communicate("\n")
    assert len(set(given)) == len(given) == 720


def test_a_port_in_use_is_left_out_and_no_port_left_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        occupied = server.getsockname()[1]
        ports, given = Ports(occupied, occupied + BLOCK - 1), list[int]()
        one_by_one = iter(lambda: ports.free(1)[0], None)
        with pytest.raises(RuntimeError, match="every port"):
            given.extend(one_by_one)
    assert given
    assert occupied not in given

"""The embedded server in a process of its own: started, watched and ended from outside."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

READY_SECONDS = 300.0
END_SECONDS = 60.0


class ServerProcess:
    """`gemma4-graph serve --embedded` of a model's folder.

    Args:
        folder: of the model.
        options: more options of the command.
        ports: of gRPC and REST; 0 for free ones.
        environment: variables beside this process's own.

    Raises:
        RuntimeError: it ended before it was ready; the message is what it printed.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        options: Sequence[str] = ("--no-warmup",),
        *,
        ports: tuple[int, int] = (0, 0),
        environment: Mapping[str, str] = {},
    ) -> None:
        command = [sys.executable, "-m", "export", "serve", str(folder), "--embedded", *options]
        command += ["--port", str(ports[0]), "--rest-port", str(ports[1])]
        # As many threads an op as in this process: the last bit of a float depends on them.
        command += ["--intra-op-parallelism", str(len(os.sched_getaffinity(0)))]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self.says("ready", READY_SECONDS):
            self.end(signal.SIGKILL)
            raise RuntimeError("\n".join(self.lines))
        found = re.search(r"gRPC [\d.]+:(\d+), REST http://[\d.]+:(\d+)/", "\n".join(self.lines))
        assert found
        self.ports = int(found[1]), int(found[2])

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def says(self, text: str, seconds: float) -> bool:
        """Waits for a line with the text; whether it came."""
        until = time.monotonic() + seconds
        while not any(text in line for line in list(self.lines)):
            if time.monotonic() > until or not self._reader.is_alive():
                return any(text in line for line in list(self.lines))
            time.sleep(0.02)
        return True

    def memory(self, field: str = "VmRSS") -> int:
        """Bytes that it holds now, or at its peak: "VmHWM"."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{field}:\s+(\d+)", status)
        assert found
        return int(found[1]) << 10

    def forget_peak(self) -> None:
        """Lets the peak be what it holds now."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def processor_seconds(self) -> float:
        """Of all its threads since it was started."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """Files, sockets and pipes that it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self) -> int:
        """Threads that it runs."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and waits; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

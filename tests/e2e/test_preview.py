"""--preview: the picture in a terminal, which here is a pseudo-terminal that answers as real ones do, late, or not at all.

What the terminal gets is read as a terminal reads it. Nothing that it answered may be left for the shell to read, and its
settings are what they were, however the master ends.
"""

import base64
import errno
import fcntl
import itertools
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

from harness import BIN, MASTER, SLOW_JOB, WATCHDOG, EndToEnd, Master, NothingLeft, main, send_all, until

JOB = {"--width": 120, "--height": 90, "--max-iterations": 50, "--transport": "serial"}
PIXELS = 120, 90
DA1 = b"\x1b[c"
KITTY = b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c"
SIXEL = b"\x1b[?1;0;256S\x1b[?62;4c"
NEITHER = b"\x1b[?1;2c"
DEADLINE = 1.0  # seconds: how long the master waits for an answer
COLOUR = {"TERM": "xterm", "COLORTERM": "truecolor"}


def job(*options):
    """The options of a small job, but for those given, and these."""
    return *itertools.chain(*(pair for pair in JOB.items() if pair[0] not in options)), *options


class FakeTerminal:
    """The near end of a pseudo-terminal. Reads all that is shown, and answers the first question with `answer`, in pieces of
    `piece` bytes, or with what it returns when called."""

    def __init__(self, answer=None, piece=None, size=(24, 80, 0, 0), typed=b"", paused=False):
        self.near, self.far = pty.openpty()
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", *size))
        self.before = termios.tcgetattr(self.far)
        self.answer, self.piece = answer, piece
        self.shown = b""
        self.asked = threading.Event()
        self.done = False
        self.paused = threading.Event()
        if paused:
            self.paused.set()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        if typed:
            os.write(self.near, typed)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.thread.join(20)
        os.close(self.near)
        os.close(self.far)

    def _serve(self):
        os.set_blocking(self.near, False)
        while not self.done:
            if not self.paused.is_set():
                try:
                    self.shown += os.read(self.near, 65536)
                except BlockingIOError:
                    pass
                except OSError as error:
                    if error.errno != errno.EIO:
                        raise
                if DA1 in self.shown and not self.asked.is_set():
                    self.asked.set()
                    self._reply()
            time.sleep(0.001)

    def _reply(self):
        if self.answer is None:
            return
        piece = self.piece or len(self.answer)
        for start in range(0, len(self.answer), piece):
            os.write(self.near, self.answer[start:start + piece])
            time.sleep(0.002)

    def press(self, keys):
        os.write(self.near, keys)

    def unread(self):
        """How many bytes were written that are not read yet; no more than 4095 of them are counted."""
        return struct.unpack("i", fcntl.ioctl(self.near, termios.FIONREAD, bytes(4)))[0]

    def left(self):
        """What a shell that ran next would read, as it reads: key by key."""
        settings = termios.tcgetattr(self.far)
        settings[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self.far, termios.TCSANOW, settings)
        os.set_blocking(self.far, False)
        try:
            return os.read(self.far, 65536)
        except BlockingIOError:
            return b""

    def is_muted(self):
        return not termios.tcgetattr(self.far)[3] & (termios.ICANON | termios.ECHO)

    def is_as_before(self):
        return termios.tcgetattr(self.far) == self.before


class OnTerminal:
    """A command as a shell runs it that has the terminal: in a process group of its own, in the foreground or not. The
    shell stays when the command has ended, for a terminal whose session has ended can be asked for nothing; where the
    command was stopped, it goes on with resume()."""

    SCRIPT = """trap : INT TERM HUP; go={go} said={said}; foreground={foreground}; tell() {{ echo $1 >&$said; }}
        if $foreground; then "$@" {go}<&- {said}>&-; else "$@" {go}<&- {said}>&- & wait $!; fi
        code=$?
        while [ $code = 148 ]; do tell stopped; read -u $go; fg >/dev/null; code=$?; done
        tell $code; read -u $go"""

    def __init__(self, terminal, *command, folder, env, foreground=True, stdout=None):
        far = terminal.far

        def take_terminal():
            os.setsid()
            fcntl.ioctl(far, termios.TIOCSCTTY, 0)

        self.said, said = os.pipe()
        go, self.go = os.pipe()
        script = self.SCRIPT.format(go=go, said=said, foreground=str(foreground).lower())
        self.shell = subprocess.Popen(["bash", "-m", "-c", script, "bash", *map(str, command)], cwd=folder,
                                      env={**os.environ, "TMPDIR": str(folder), **env}, stdin=far,
                                      stdout=far if stdout is None else stdout, stderr=far, pass_fds=(go, said),
                                      preexec_fn=take_terminal)
        os.close(go)
        os.close(said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        send_all(self._children(), signal.SIGKILL)
        os.close(self.go)
        self.shell.wait(WATCHDOG)
        os.close(self.said)

    def _children(self):
        try:
            return [int(pid) for pid in Path(f"/proc/{self.shell.pid}/task/{self.shell.pid}/children").read_text().split()]
        except OSError:
            return []

    def send(self, number):
        send_all(self._children(), number)

    def resume(self):
        os.write(self.go, b"\n")

    def told(self):
        """What the shell said: the exit code, or that the command is stopped; None if neither."""
        return os.read(self.said, 100).decode().strip() if select.select([self.said], [], [], 0)[0] else None

    def wait(self):
        return until(self.told, "the master ends")


def kitty_picture(shown):
    """Width, height and pixels of the picture, put together from its pieces."""
    commands = re.findall(rb"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\", shown.rpartition(DA1)[2])
    keys = dict(pair.split(b"=") for pair in commands[0][0].split(b","))
    assert keys[b"a"] == b"T" and keys[b"f"] == b"24" and keys[b"q"] == b"2", keys
    assert [b"m=1" in command[0].split(b",") for command in commands] == [True] * (len(commands) - 1) + [False]
    return int(keys[b"s"]), int(keys[b"v"]), base64.b64decode(b"".join(command[1] for command in commands))


def sixel_picture(shown):
    """Width, height and pixels in percent."""
    begin = re.search(rb'\x1bP0;1;0q"1;1;(\d+);(\d+)', shown)
    width, height = int(begin[1]), int(begin[2])
    body = shown[begin.end():shown.index(b"\x1b\\", begin.end())]
    palette, pixels, colour, x, top = {}, [None] * (width * height), None, 0, 0
    for token in re.finditer(rb"#(?P<define>\d+);2;(?P<rgb>\d+;\d+;\d+)|#(?P<use>\d+)|(?:!(?P<count>\d+))?(?P<sixel>[?-~])|[$-]",
                             body):
        if token["define"]:
            palette[int(token["define"])] = tuple(map(int, token["rgb"].split(b";")))
        elif token["use"]:
            colour = palette[int(token["use"])]
        elif token["sixel"]:
            for _ in range(int(token["count"] or 1)):
                for line in range(6):
                    if token["sixel"][0] - ord("?") >> line & 1:
                        pixels[(top + line) * width + x] = colour
                x += 1
        else:
            x, top = 0, top + (6 if token[0] == b"-" else 0)
    return width, height, pixels


def block_lines(shown):
    """The pixels of half blocks with 24-bit colours, two lines of them for each line of text."""
    lines = []
    for text in shown.decode().replace("\r\n", "\n").split("\n"):
        upper, lower, fore, back = [], [], None, None
        for colours, _ in re.findall(r"((?:\x1b\[[\d;]*m)*)(▀)", text):
            for ground, *rgb in re.findall(r"\x1b\[(38|48);2;(\d+);(\d+);(\d+)m", colours):
                if ground == "38":
                    fore = tuple(map(int, rgb))
                else:
                    back = tuple(map(int, rgb))
            upper.append(fore)
            lower.append(back)
        if upper:
            lines.append(upper)
            if lower[0] is not None:
                lines.append(lower)
    return lines


class Previews(EndToEnd):
    def start(self, terminal, *options, env=None, **start):
        surroundings = {"TERM": "xterm", "NO_COLOR": "", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **(env or {})}
        return OnTerminal(terminal, MASTER, *job(*options), folder=self.folder, env=surroundings, **start)

    def on_terminal(self, *options, answer=None, leaves=b"", **more):
        """Runs a job with --preview to its end; returns what the terminal was shown."""
        fake = {name: more.pop(name) for name in ("piece", "size", "typed") if name in more}
        with FakeTerminal(answer, **fake) as terminal, NothingLeft(self.folder), \
                self.start(terminal, *(options or ("--preview",)), **more) as master:
            self.assertEqual(master.wait(), "0", terminal.shown[-2000:])
            until(lambda: b"verdict" in terminal.shown and not terminal.unread(), "all is read")
            self.assertTrue(terminal.is_as_before())
            self.assertEqual(terminal.left(), leaves)
            return terminal.shown

    def picture(self, *options):
        """The pixels of the job in full."""
        shown = self.master(*job("--preview=kitty", *options)).out.encode()
        return kitty_picture(shown)

    # ---- the ways

    def test_kitty(self):
        width, height, pixels = self.picture()
        self.assertEqual((width, height), PIXELS)
        shown = self.on_terminal(answer=KITTY)
        self.assertEqual(kitty_picture(shown), (width, height, pixels))
        self.assertRegex(shown, rb"preview +\d+\.\d\d ms   kitty's graphics protocol, 120 x 90 pixels\r\n")
        self.assertNotIn("▀".encode(), shown)

    def test_sixel(self):
        _, _, wanted = self.picture()
        shown = self.on_terminal(answer=SIXEL)
        width, height, pixels = sixel_picture(shown)
        self.assertEqual((width, height), PIXELS)
        self.assertEqual(pixels, [tuple((number * 100 + 127) // 255 for number in wanted[i:i + 3])
                                  for i in range(0, len(wanted), 3)])
        self.assertRegex(shown, rb"preview +\d+\.\d\d ms   sixel, 120 x 90 pixels\r\n")

    def test_no_more_colours_than_registers(self):
        shown = self.on_terminal("--preview", "--colormap", "false-gray", answer=SIXEL.replace(b"256S", b"8S"))
        self.assertLessEqual(len(set(sixel_picture(shown)[2])), 8)

    def test_kitty_before_sixel(self):
        self.assertEqual(kitty_picture(self.on_terminal(answer=KITTY[:-2] + b";4c"))[:2], PIXELS)

    def assert_blocks(self, shown, width, height):
        lines = block_lines(shown)
        self.assertEqual((len(lines[0]), len(lines)), (width, height))
        self.assertTrue(all(len(line) == width for line in lines))
        self.assertNotIn(b"\x1bP", shown)
        return lines

    def test_blocks(self):
        """24 lines: two stay free."""
        shown = self.on_terminal(answer=NEITHER)
        lines = self.assert_blocks(shown, 59, 44)
        self.assertGreater(len({pixel for line in lines for pixel in line}), 10)
        self.assertRegex(shown, rb"preview +\d+\.\d\d ms   half blocks, 59 x 44 pixels\r\n")
        # What the question has left on the screen is wiped away, the picture stands before the summary.
        self.assertRegex(shown, rb"(?s)\A\x1b7.*\x1b\[c\x1b8\x1b\[K\x1b\[38;2;.*\x1b\[0m\r\njob ")

    def test_blocks_show_the_picture(self):
        """A picture smaller than the terminal is shown as it is, pixel by pixel."""
        _, _, wanted = self.picture("--width", 20, "--height", 15)
        shown = self.on_terminal("--preview", "--width", 20, "--height", 15, answer=NEITHER)
        # Odd: the last line has upper halves only.
        self.assertEqual([number for line in block_lines(shown) for pixel in line for number in pixel], list(wanted))

    def test_colormap_and_origin(self):
        for workload in ("julia-book", "julia-linear"):
            shown = self.on_terminal("--preview", "--workload", workload, "--colormap", "power", answer=KITTY)
            self.assertEqual(kitty_picture(shown), self.picture("--workload", workload, "--colormap", "power"))
            lines = [kitty_picture(shown)[2][i:i + 360] for i in range(0, 360 * 90, 360)]
            self.assertNotEqual(lines, lines[::-1])

    # ---- asking

    def test_an_answer_in_pieces(self):
        for answer, piece in itertools.product((KITTY, SIXEL, NEITHER), (1, 3)):
            with self.subTest(answer=answer, piece=piece):
                shown = self.on_terminal(answer=answer, piece=piece)
                self.assertEqual(b"f=24,s=120" in shown, answer == KITTY)
                self.assertEqual(b"\x1bP0" in shown, answer == SIXEL)
                self.assertEqual("▀".encode() in shown, answer == NEITHER)

    def test_no_answer(self):
        begun = time.monotonic()
        self.assert_blocks(self.on_terminal(), 59, 44)
        self.assertGreaterEqual(time.monotonic() - begun, DEADLINE)

    def test_half_an_answer(self):
        for answer in (KITTY[:-1], b"\x1b_Gi=31;O", b"\x1b["):
            with self.subTest(answer=answer):
                self.assert_blocks(self.on_terminal(answer=answer), 59, 44)

    def test_a_late_answer(self):
        """It comes when the master waits for it no more and has begun to draw, which takes until the terminal reads."""
        with FakeTerminal(size=(200, 400, 0, 0)) as terminal, NothingLeft(self.folder), \
                self.start(terminal, "--preview", "--width", 400, "--height", 390) as master:
            self.assertTrue(terminal.asked.wait(60))
            terminal.paused.set()
            until(terminal.is_muted, "it asks")
            time.sleep(1.5 * DEADLINE)
            self.assertIsNone(master.told())
            terminal.press(KITTY)
            terminal.paused.clear()
            self.assertEqual(master.wait(), "0")
            until(lambda: b"verdict" in terminal.shown, "all is read")
            self.assertTrue(terminal.is_as_before())
            self.assertEqual(terminal.left(), b"")
            self.assertNotIn(b"31;OK", terminal.shown)
            self.assertNotIn(b"f=24,s=", terminal.shown)

    def test_keys_pressed_before(self):
        """Whoever has typed ahead finds it afterwards; for that, the terminal is not asked."""
        for typed in (b"ls -l\n", b"ls"):
            with self.subTest(typed=typed):
                shown = self.on_terminal(answer=KITTY, typed=typed, leaves=typed)
                self.assertNotIn(DA1, shown)
                self.assertIn("▀".encode(), shown)

    def test_keys_pressed_after_the_answer(self):
        shown = self.on_terminal(answer=KITTY + b"ls", leaves=b"ls")
        self.assertEqual(kitty_picture(shown)[:2], PIXELS)

    def test_an_interrupt_while_it_asks(self):
        """By the key, and by other signals: the terminal is as it was, and the answer is not left in it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, None):
            for twice in (False, True):
                with self.subTest(signal=number, twice=twice), FakeTerminal() as terminal, NothingLeft(self.folder), \
                        self.start(terminal, "--preview") as master:
                    self.assertTrue(terminal.asked.wait(60))
                    self.assertTrue(terminal.is_muted())
                    for _ in range(1 + twice):
                        if number is None:
                            terminal.press(b"\x03")
                        else:
                            master.send(number)
                        time.sleep(0.05)
                    terminal.press(KITTY)
                    self.assertEqual(master.wait(), "130")
                    self.assertTrue(terminal.is_as_before())
                    self.assertEqual(terminal.left(), b"")
                    until(lambda: b"interrupted while the preview was shown" in terminal.shown, "it is told")
                    self.assertNotIn(b"f=24,s=", terminal.shown)

    def test_an_interrupt_while_it_draws(self):
        """The picture is ended, lest it swallow what comes next."""
        for mode, ending in (("kitty", b"\x1b\\\x1b_Gm=0,q=2;\x1b\\\r\n"), ("sixel", b"\x1b\\\r\n"),
                             ("blocks", b"\x1b[0m\r\n")):
            with self.subTest(mode=mode), FakeTerminal(size=(200, 400, 4000, 4000), paused=True) as terminal, \
                    NothingLeft(self.folder), \
                    self.start(terminal, f"--preview={mode}", "--width", 1000, "--height", 1000, "--colormap", "power",
                               "--c=-0.4,0.6") as master:
                # The picture is far more than fits into the terminal, which nobody reads; what is shown of the progress is
                # far less than that.
                until(lambda: terminal.unread() > 3000, "it draws")
                time.sleep(0.2)
                self.assertIsNone(master.told())
                master.send(signal.SIGINT)
                terminal.paused.clear()
                self.assertEqual(master.wait(), "130")
                until(lambda: b"verdict" in terminal.shown, "all is read")
                self.assertIn(ending + b"job ", terminal.shown)
                self.assertTrue(terminal.is_as_before())

    def test_stopped_while_it_asks(self):
        """Ctrl-Z: the shell gets the terminal with its settings; fg shows the rest."""
        with FakeTerminal() as terminal, NothingLeft(self.folder), self.start(terminal, "--preview") as master:
            self.assertTrue(terminal.asked.wait(60))
            terminal.press(b"\x1a")
            time.sleep(0.05)
            terminal.press(NEITHER)
            self.assertEqual(master.wait(), "stopped")
            self.assertTrue(terminal.is_as_before())
            self.assertIn("▀".encode(), terminal.shown)
            self.assertNotIn(b"verdict", terminal.shown)
            master.resume()
            self.assertEqual(master.wait(), "0")
            self.assertTrue(terminal.is_as_before())
            self.assertEqual(terminal.left(), b"")

    def test_in_the_background(self):
        """It shows half blocks without asking, and is not stopped for having asked."""
        shown = self.on_terminal(answer=KITTY, foreground=False)
        self.assertNotIn(DA1, shown)
        self.assert_blocks(shown, 59, 44)

    def test_another_terminal_than_its_own(self):
        """Its answers would go to whoever reads there."""
        with FakeTerminal(KITTY) as other, FakeTerminal(KITTY) as terminal, \
                self.start(terminal, "--preview", stdout=other.far) as master:
            self.assertEqual(master.wait(), "0")
            until(lambda: b"verdict" in other.shown, "all is read")
            self.assertNotIn(DA1, other.shown + terminal.shown)
            self.assertIn("▀".encode(), other.shown)
            self.assertTrue(other.is_as_before())

    # ---- sizes

    def test_size_in_pixels(self):
        """Not wider than the window, nor higher than four fifths of it."""
        for answer, size_of in ((KITTY, kitty_picture), (SIXEL, sixel_picture)):
            shown = self.on_terminal(answer=answer, size=(24, 80, 60, 500))
            self.assertEqual(size_of(shown)[:2], (60, 45))
            shown = self.on_terminal(answer=answer, size=(24, 80, 500, 50))
            self.assertEqual(size_of(shown)[:2], (53, 40))
            # The window does not know, but the terminal does.
            shown = self.on_terminal(answer=b"\x1b[4;500;60t" + answer)
            self.assertEqual(size_of(shown)[:2], (60, 45))

    def test_tiny_terminals(self):
        for (columns, rows), wanted in {(20, 5): (8, 6), (20, 3): (3, 2), (1, 1): (1, 1), (0, 0): (59, 44)}.items():
            with self.subTest(columns=columns, rows=rows):
                self.assert_blocks(self.on_terminal(answer=NEITHER, size=(rows, columns, 0, 0)), *wanted)

    def test_a_large_picture(self):
        shown = self.on_terminal("--preview", "--width", 6000, "--height", 5000, "--max-iterations", 5,
                                 answer=KITTY)
        self.assertEqual(kitty_picture(shown)[:2], (720, 600))

    def test_pictures_of_one_line(self):
        for width, height, wanted in ((3000, 1, (80, 1)), (1, 3000, (1, 44)), (1, 1, (1, 1))):
            with self.subTest(width=width, height=height):
                self.assert_blocks(self.on_terminal("--preview", "--width", width, "--height", height, answer=NEITHER),
                                   *wanted)

    # ---- streams that are no terminal, colours that are not wanted

    def test_no_terminal(self):
        ended = self.master(*job("--preview"), env=COLOUR)
        self.assertNotIn("\x1b[c", ended.out)
        self.assert_blocks(ended.out.encode(), 80, 60)
        self.assertRegex(ended.out, r"\A\x1b\[38;2;")
        self.assertIn("\nverdict ", ended.out)

    def test_its_stream_is_that_of_the_summary(self):
        ended = self.master(*job("--preview", "--json", "-"), env=COLOUR)
        self.assertNotIn("▀", ended.out)
        self.assert_blocks(ended.err.encode(), 80, 60)
        self.assertLess(ended.err.index("▀"), ended.err.index("job  "))

    def test_quiet_still_shows_it(self):
        ended = self.master(*job("--preview", "--quiet"), env=COLOUR)
        self.assertEqual(ended.out.count("\n"), 30)
        self.assert_blocks(ended.out.encode(), 80, 60)
        self.assertEqual(ended.err, "")

    def test_no_colours(self):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            for locale, shades in (("C.UTF-8", " ░▒▓█"), ("C", " .:-=+*#%@")):
                with self.subTest(env=env, locale=locale):
                    shown = self.on_terminal(answer=KITTY, env={**env, "LC_ALL": locale}).decode()
                    self.assertNotIn("\x1b", shown)
                    picture = shown[:shown.index("job  ")].split("\r\n")[:-1]
                    self.assertEqual((len(picture), {len(line) for line in picture}), (22, {59}))
                    self.assertLessEqual(set("".join(picture)), set(shades))
                    self.assertGreater(len(set("".join(picture))), 3)
                    self.assertIn("shades, 59 x 44 pixels", shown)

    def test_no_colours_but_a_picture_by_name(self):
        shown = self.on_terminal("--preview=kitty", env={"NO_COLOR": "1"})
        self.assertEqual(kitty_picture(shown)[:2], PIXELS)

    def test_256_colours(self):
        shown = self.on_terminal(answer=NEITHER, env={"TERM": "xterm-256color", "COLORTERM": ""})
        self.assertIn(b"\x1b[38;5;", shown)
        self.assertNotIn(b"8;2;", shown)

    # ---- what is not shown, and what may be said

    def test_rows_that_were_given_up(self):
        given_up = ("--width", 40, "--height", 60, "--procs", 2, "--retries", 1, "--worker", BIN / "deadly_worker")
        for options, shown in (((), False), (("--partial",), True)):
            ended = self.master(*given_up, "--preview=kitty", *options, code=1, env={"DEADLY_ROWS": "die 7"})
            self.assertEqual("\x1b_G" in ended.out, shown)
            if shown:
                width, _, pixels = kitty_picture(ended.out.encode())
                # Row 0 is the bottom line.
                self.assertEqual(pixels[-8 * 3 * width:][:3 * width], b"\xff\x00\xff" * width)

    def test_a_job_that_was_interrupted(self):
        with Master(*SLOW_JOB, "--preview", "--procs", 2, folder=self.folder) as master:
            master.wait_for_workers()
            master.send(signal.SIGINT)
            ended = master.wait()
        self.assertEqual(ended.code, 130)
        self.assertNotIn("▀", ended.out)

    def test_phase(self):
        report = self.report(*job("--preview=kitty"))
        self.assertGreater(report["phases"]["preview_seconds"], 0)
        self.assertEqual(self.report(*job())["phases"]["preview_seconds"], 0)

    def test_audit(self):
        shown = self.on_terminal("--preview", "--audit", answer=KITTY)
        self.assertIn(b"audit      passed", shown)

    def test_command_line(self):
        for value in ("bogus", "Kitty", "1", "kitty,sixel"):
            ended = self.master(f"--preview={value}", code=2)
            self.assert_one_line(ended.err)
            self.assertIn(f"--preview: '{value}' is unknown; allowed are auto, kitty, sixel, blocks", ended.err)
        # What follows is no value.
        self.assert_one_line(self.master("--preview", "kitty", code=2).err)
        self.assertIn("▀", self.master("--preview", "run", *job(), env=COLOUR).out)
        self.assertIn("▀", self.master("run", "--preview=blocks", *job(), env=COLOUR).out)
        self.assertIn("\x1bP", self.master("--preview", "--preview=sixel", *job()).out)
        self.assertIn("only options of a run", self.master("--preview", "pi", code=2).err)
        for value, there in (("true", True), ('"blocks"', True), ("false", False)):
            config = self.write("config.toml", f"preview = {value}\n")
            self.assertEqual("▀" in self.master("--config", config, *job(), leaves=["config.toml"], env=COLOUR).out, there)
            config.unlink()

    def test_streams_that_take_nothing(self):
        with open("/dev/full", "wb") as full:
            self.master(*job("--preview"), stdout=full)
        with NothingLeft(self.folder), Master(*job("--preview=kitty"), folder=self.folder, stdout=subprocess.PIPE) as master:
            master.process.stdout.close()
            self.assertEqual(master.wait().code, 0)
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            for options in ((), ("--output", "julia.png"), ("--transport", "shm")):
                with self.subTest(closed=closed, options=options):
                    leaves = ["julia.png"] if "julia.png" in options else []
                    self.master(*job("--preview=kitty", *options), leaves=leaves,
                                prepare=lambda closed=closed: [os.close(number) for number in closed])
                    for name in leaves:
                        self.assertTrue((self.folder / name).read_bytes().endswith(b"IEND\xaeB`\x82"))
                        (self.folder / name).unlink()


if __name__ == "__main__":
    main()

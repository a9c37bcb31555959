"""The examples do what docs/examples/README.md shows, and what stands in docs/python.md is what is compiled and run.

In the README's outputs `<number>` stands for any number and `…` for anything; a line that is `…` stands for any lines.
"""

import functools
import re
import shlex
import subprocess
import sys

from harness import BIN, ROOT, EndToEnd, Master, NothingLeft, main

EXAMPLES = ROOT / "docs" / "examples"
README = EXAMPLES / "README.md"
PAGE = ROOT / "docs" / "python.md"
SHOWN_BIN = "build/release/bin/examples/"  # as the README's commands have it
NUMBER = r"-?\d+(?:\.\d+)?"


def blocks(text, language):
    """The fenced blocks of a page that are in this language, without the fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def pattern(shown):
    """What an output matches if it is as shown."""
    regex = ""
    for line in shown.splitlines():
        if line == "…":
            regex += r"(?:.*\n)*"
            continue
        words = re.escape(line).replace(re.escape("<number>"), NUMBER).replace("…", ".*")
        if "<number>" in line:  # columns move with what is in them
            words = r"[ ]*" + re.sub(r"(?:\\ )+", "[ ]+", words)
        regex += words + "\n"
    return re.compile(regex)


def runs():
    """The README's runs: command, output, exit code."""
    for block in blocks(README.read_text(), "console"):
        command, _, rest = block.partition("\n")
        shown, _, code = rest.partition("$ echo $?\n")
        yield shlex.split(command.removeprefix("$ ")), shown, int(code or 0)


@functools.cache
def sources():
    """The examples' sources by name; lines without their indentation."""
    return {path.name: [line.strip() for line in path.read_text().splitlines()]
            for path in sorted(EXAMPLES.rglob("*.cc"))}


def without_spaces(text):
    return re.sub(r"\s+", "", text)


class Examples(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.folder / "docs").symlink_to(ROOT / "docs")  # for the paths in the README's commands

    def example(self, name, *arguments, code=0, leaves=(), **start):
        """Runs an example to its end; it leaves nothing but `leaves`."""
        with NothingLeft(self.folder, leaves) as oracle, \
                Master(*arguments, folder=self.folder, program=BIN / "examples" / name, **start) as program:
            oracle.watch(program.pid)
            ended = program.wait()
            self.assertEqual(ended.code, code, ended)
        return ended


class TheReadme(Examples):
    def test_every_run_is_as_shown(self):
        for (program, *arguments), shown, code in runs():
            with self.subTest(program=program, arguments=arguments):
                leaves = [name for name in arguments if name.endswith(".pgm")]
                ended = self.example(program.removeprefix(SHOWN_BIN), *arguments, code=code, leaves=leaves,
                                     stderr=subprocess.STDOUT)
                self.assertRegex(ended.out, rf"\A{pattern(shown).pattern}\Z")

    def test_every_example_is_shown(self):
        shown = {program.removeprefix(SHOWN_BIN) for (program, *_), _, _ in runs()}
        built = {path.name for path in (BIN / "examples").iterdir()}
        self.assertEqual(shown | {"python_start", "python_page"}, built)
        for name in shown:
            self.assertIn(f"\n## {name}\n", README.read_text())

    def test_the_pattern(self):
        """What the comparison lets pass, and what it does not."""
        for shown, output, fits in (
                ("a 1\n", "a 1\n", True), ("a 1\n", "a  1\n", False), ("a 1\n", "a 1\nb\n", False),
                ("x <number> s\n", "x     1.25 s\n", True), ("x <number> s\n", "x one s\n", False),
                ("x … y\n", "x anything y\n", True), ("x … y\n", "x\ny\n", False),
                ("a\n…\nb\n", "a\nb\n", True), ("a\n…\nb\n", "a\n1\n2\nb\n", True), ("a\n…\n", "b\n", False)):
            with self.subTest(shown=shown, output=output):
                self.assertEqual(pattern(shown).fullmatch(output) is not None, fits)


class Inputs(Examples):
    def test_what_is_no_input_is_refused(self):
        for name, *arguments in (["word_count"], ["monte_carlo_pi", "none"], ["monte_carlo_pi", "0"],
                                 ["monte_carlo_pi", "4", "5"], ["image_filter", "a", "b"]):
            with self.subTest(name=name, arguments=arguments):
                ended = self.example(name, *arguments, code=2)
                self.assertEqual(ended.out, "")
                self.assertRegex(ended.err, rf"\Ausage: {name} .*\n\Z")

    def test_words_are_counted_over_files_and_folders(self):
        (self.folder / "deep" / "er").mkdir(parents=True)
        one = self.write("one.txt", "Red, red; RED-green\n")
        self.write("deep/two.txt", "green")
        self.write("deep/er/three.txt", "")
        ended = self.example("word_count", one, self.folder / "deep")
        self.assertEqual(ended.out, "3 of 3 files, 2 different words\n     3  red\n     2  green\n")

    def test_a_file_that_cannot_be_read_is_told_and_the_others_are_counted(self):
        one = self.write("one.txt", "word")
        ended = self.example("word_count", "gone", one, "gone too", code=1)
        self.assertEqual(ended.out, "1 of 3 files, 1 different words\n     1  word\n")
        self.assertEqual(sorted(ended.err.splitlines()),
                         ["word_count: cannot read gone", "word_count: cannot read gone too"])

    def test_pi_is_the_same_with_any_number_of_workers(self):
        first_lines = {self.example("monte_carlo_pi", workers).out.partition("\n\n")[0] for workers in (1, 3, 8)}
        self.assertEqual(len(first_lines), 1, first_lines)

    def test_the_picture_is_the_one_whose_checksum_is_told(self):
        ended = self.example("image_filter", leaves=["blurred.pgm"])
        picture = (self.folder / "blurred.pgm").read_bytes()
        head = b"P5\n640 400\n255\n"
        self.assertTrue(picture.startswith(head))
        self.assertEqual(len(picture), len(head) + 640 * 400)
        checksum = 2166136261
        for byte in picture[len(head):]:
            checksum = (checksum ^ byte) * 16777619 % 2**32
        self.assertIn(f"blurred {checksum:08x}\n", ended.out)

    def test_a_picture_that_cannot_be_written(self):
        ended = self.example("image_filter", "nowhere/x.pgm", code=1)
        self.assertEqual(ended.err, "image_filter: cannot write nowhere/x.pgm\n")


class ThePageForPythonUsers(Examples):
    def test_what_it_says_holds(self):
        self.assertEqual(self.example("python_page").out, "what docs/python.md says holds\n")

    def test_its_first_programs_print_the_same(self):
        start = self.write("start.py", blocks(PAGE.read_text(), "python")[0])
        python = subprocess.run([sys.executable, str(start)], capture_output=True, text=True, timeout=100)
        self.assertEqual(python.returncode, 0, python.stderr)
        self.assertEqual(self.example("python_start").out, python.stdout)
        self.assertEqual(python.stdout, "4\n25\n168\n1229\n")

    def test_its_blocks_are_compiled(self):
        for block in blocks(PAGE.read_text(), "cpp"):
            lines = [line.strip() for line in block.splitlines()]

            def has(source):
                return any(source[i:i + len(lines)] == lines for i in range(len(source)))

            self.assertTrue(any(map(has, sources().values())), f"in no program:\n{block}")

    def test_its_tables_are_compiled(self):
        compiled = without_spaces("".join("".join(sources()[name]) for name in ("python_page.cc", "python_start.cc")))
        shown = 0
        for row in self.rows():
            for code in re.findall(r"`([^`]+)`", row[1]):
                shown += 1
                self.assertIn(without_spaces(code), compiled)
        self.assertGreater(shown, 40)

    def test_its_python_can_be_read(self):
        for row in self.rows():
            for code in re.findall(r"`([^`]+)`", row[0]):
                code = code.replace("…", "...")
                if code.endswith(":"):
                    code = ("try: pass\n" if code.startswith("except") else "") + code + " pass"
                compile(code, "docs/python.md", "exec")
        for block in blocks(PAGE.read_text(), "python"):
            compile(block, "docs/python.md", "exec")

    def rows(self):
        """The rows of its tables, but for heads and rulers."""
        for line in PAGE.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" |")]
            if line.startswith("| ") and cells[1] != "C++":
                yield cells


class Links(EndToEnd):
    def test_they_lead_somewhere(self):
        for page in (README, PAGE):
            text = re.sub(r"```.*?```|`[^`\n]*`", "code", page.read_text(), flags=re.DOTALL)
            for link in re.findall(r"\]\(([^)]+)\)", text):
                with self.subTest(page=page.name, link=link):
                    path, _, section = link.partition("#")
                    target = (page.parent / path).resolve() if path else page
                    self.assertTrue(target.exists())
                    if section:
                        self.assertRegex(target.read_text().lower(), rf"(?m)^#+ {re.escape(section)}$")


if __name__ == "__main__":
    main()

"""procpool as a library for others: the installed tree, the Debian packages, the sources as a part of another project.

What is installed is what public headers say, and no more: no header, name or flag that is the project's own business. Each
way is tried with tests/consumer, a project of somebody who uses procpool.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BIN, PROCESS_TRANSPORTS, ROOT, EndToEnd, main

BUILD = BIN.parent
CONSUMER = ROOT / "tests" / "consumer"
SIDES = ("common", "master", "worker")
BUILDING = 800.0  # seconds: a compiler is slow on a loaded machine
INSIDE = ("spdlog", "fmt::", "boost", "XXH")  # what the library is made of


def setting(name):
    """A variable of the build that is tested."""
    found = re.search(rf"^{name}:[A-Z]+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found[1] if found else ""


def run(*command, code=0, seconds=BUILDING, **options):
    """Runs a tool to its end and returns all that it wrote."""
    ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=seconds, stdin=subprocess.DEVNULL, check=False, **options)
    if ended.returncode != code:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {ended.returncode}\n{ended.stdout}")
    return ended.stdout


def names(library, *options):
    """The names that a library defines for others, as C++ writes them."""
    # Behind the address and the type; an archive has headings besides.
    lines = run("nm", "--defined-only", "--extern-only", "--demangle", *options, library).splitlines()
    return {line.split(maxsplit=2)[2] for line in lines if re.match(r"[0-9a-f]{16} ", line)}


def public_headers():
    """The headers that users include, as they include them."""
    return {str(header.relative_to(ROOT / side)): header
            for side in SIDES for header in (ROOT / side / "procpool").rglob("*.h")}


class Tree:
    """What is tested, made once for all tests."""

    folder = installed = packages = unpacked = None


def setUpModule():
    Tree.folder = Path(tempfile.mkdtemp(prefix="procpool-e2e."))
    unittest.addModuleCleanup(shutil.rmtree, Tree.folder, ignore_errors=True)
    Tree.installed = Tree.folder / "installed"
    run("cmake", "--install", BUILD, "--prefix", Tree.installed)
    run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", Tree.folder / "packages", cwd=BUILD)
    Tree.packages = {path.name.partition("_")[0]: path for path in (Tree.folder / "packages").glob("*.deb")}
    Tree.unpacked = Tree.folder / "unpacked"
    for package in Tree.packages.values():
        run("dpkg-deb", "-x", package, Tree.unpacked)


class Headers(EndToEnd):
    def test_they_are_the_public_ones(self):
        include = Tree.installed / "include"
        found = {str(path.relative_to(include)) for path in include.rglob("*") if not path.is_dir()}
        self.assertEqual(found, set(public_headers()))
        for name, source in public_headers().items():
            self.assertEqual((include / name).read_bytes(), source.read_bytes(), name)

    def test_they_name_nothing_that_is_not_installed(self):
        for path in (Tree.installed / "include").rglob("*.h"):
            text = path.read_text()
            self.assertNotRegex(text, r"\b(common|master|worker|tests|docs)/\w", path)
            self.assertNotRegex(text, r'#include *"', path)
            for included in re.findall(r"#include *<(procpool/.*)>", text):
                self.assertIn(included, public_headers(), path)

    def test_each_can_be_included_first_and_warns_of_nothing(self):
        for name in public_headers():
            with self.subTest(header=name):
                source = self.write("alone.cc", f"#include <{name}>\n")
                run(setting("CMAKE_CXX_COMPILER"), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
                    "-Wshadow", "-Werror", "-I", Tree.installed / "include", source)

    def test_what_cannot_work_does_not_compile_and_says_why(self):
        sources = sorted((CONSUMER / "refused").glob("*.cc"))
        self.assertGreaterEqual(len(sources), 10)
        for source in sources:
            with self.subTest(source=source.name):
                expected = source.read_text().splitlines()[0].removeprefix("// expected: ")
                said = run(setting("CMAKE_CXX_COMPILER"), "-std=c++20", "-fsyntax-only", "-I",
                           Tree.installed / "include", source, code=1, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
                self.assertRegex(said, rf"error: static assertion failed: .*{re.escape(expected)}")


class Libraries(EndToEnd):
    SHARED = "lib/libprocpool.so"
    STATIC = "lib/libprocpool.a"

    def test_the_shared_one_exports_what_public_headers_declare(self):
        exported = names(Tree.installed / self.SHARED, "--dynamic")
        text = "\n".join(header.read_text() for header in public_headers().values())
        declared = set(re.findall(r"\b(?:class|struct) PROCPOOL_EXPORT (\w+)", text))
        declared |= set(re.findall(r"\b(\w+)(?=\()", "\n".join(re.findall(r"^ *PROCPOOL_EXPORT .*", text, re.MULTILINE))))
        declared.add("PoolStatistics")  # whose member text() is exported alone
        for name in exported:
            with self.subTest(name=name):
                found = re.match(r"(?:typeinfo for |typeinfo name for |vtable for )?procpool::(?:detail::)?(\w+)", name)
                self.assertTrue(found, "not one of procpool's own")
                self.assertIn(found[1], declared)
                self.assertNotIn("{lambda", name)
        self.assertLessEqual({"procpool::worker_main(int, char**)", "typeinfo for procpool::TaskFailed",
                              "vtable for procpool::Error", "procpool::detail::PoolCore::Close()"}, exported)
        for inside in INSIDE:
            self.assertFalse([name for name in exported if inside in name])

    def test_the_static_one_exports_the_same(self):
        self.assertEqual(names(Tree.installed / self.STATIC), names(Tree.installed / self.SHARED, "--dynamic"))

    def test_the_shared_one_needs_the_standard_libraries_only(self):
        dynamic = run("readelf", "--dynamic", "--wide", Tree.installed / self.SHARED)
        needed = {name.partition(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)}
        self.assertLessEqual(needed, {"libstdc++", "libgcc_s", "libc", "libm", "ld-linux-x86-64"})
        self.assertIn("[libprocpool.so.0]", dynamic)
        self.assertNotIn("RUNPATH", dynamic)
        self.assertNotIn("RPATH", dynamic)

    def test_versions(self):
        """A program that asks for another minor version does not get this one."""
        self.write("CMakeLists.txt", """
            cmake_minimum_required(VERSION 3.25)
            project(versions LANGUAGES NONE)
            foreach(version IN ITEMS 0.1 0.2 0.2.0 0.2.99 0.3 1.0)
              find_package(procpool ${version} CONFIG QUIET NO_DEFAULT_PATH PATHS ${WHERE})
              message(STATUS "asked for ${version}: ${procpool_FOUND}")
            endforeach()
            message(STATUS "found ${procpool_VERSION}")
            """)
        said = run("cmake", f"-DWHERE={Tree.installed}", "-S", self.folder, "-B", self.folder / "build")
        got = dict(re.findall(r"-- asked for (\S+): (\d)", said))
        self.assertEqual(got, {"0.1": "0", "0.2": "1", "0.2.0": "1", "0.2.99": "0", "0.3": "0", "1.0": "0"})


class Programs(EndToEnd):
    def test_they_find_each_other(self):
        for root in (Tree.installed, Tree.unpacked / "usr"):
            program = root / "bin" / "procpool"
            self.assertTrue(program.is_symlink())
            for transport in PROCESS_TRANSPORTS:
                with self.subTest(root=root, transport=transport):
                    self.assert_verified(self.report("--procs", 2, "--transport", transport, program=program))
            self.assertRegex(self.master("--version", program=program).out, r"procpool 0\.2\.0")

    def test_no_general_name_is_taken(self):
        self.assertEqual([path.name for path in (Tree.installed / "bin").iterdir()], ["procpool"])


class Packages(EndToEnd):
    def fields(self, package):
        text = run("dpkg-deb", "-f", Tree.packages[package])
        return dict(re.findall(r"^([A-Z][\w-]*): (.*)", text, re.MULTILINE))

    def files(self, package):
        """Path by path, without folders: mode, owner and where it leads to."""
        found = {}
        for line in run("dpkg-deb", "-c", Tree.packages[package]).splitlines():
            mode, owner, _, _, _, path = line.split(maxsplit=5)
            self.assertEqual(owner, "root/root", line)
            path, _, target = path.partition(" -> ")
            if mode.startswith("d"):
                self.assertEqual(mode, "drwxr-xr-x", line)
            else:
                found[path.removeprefix(".")] = (mode, target)
        return found

    def test_there_are_three(self):
        self.assertEqual(set(Tree.packages), {"procpool", "libprocpool0", "libprocpool-dev"})
        for name, package in Tree.packages.items():
            fields = self.fields(name)
            self.assertEqual((fields["Package"], fields["Version"]), (name, "0.2.0"))
            self.assertEqual(package.name, f"{name}_0.2.0_{fields['Architecture']}.deb")
            self.assertRegex(run("dpkg-deb", "-f", package, "Description"), r"\A\w.*\n( \w.*\n)+\Z")
            files = self.files(name)
            self.assertIn(f"/usr/share/doc/{name}/copyright", files)
            for path, (mode, _) in files.items():
                self.assertTrue(path.startswith("/usr/"), path)
                self.assertIn(mode, ("-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"), path)

    def test_library(self):
        files = self.files("libprocpool0")
        library = [path for path in files if "/lib/" in path]
        self.assertEqual({Path(path).name for path in library}, {"libprocpool.so.0", "libprocpool.so.0.2.0"})
        self.assertEqual(next(files[path][1] for path in library if path.endswith(".so.0")), "libprocpool.so.0.2.0")
        depends = self.fields("libprocpool0")["Depends"]
        self.assertRegex(depends, r"libc6 \(>= [\d.]+\)")
        self.assertRegex(depends, r"libstdc\+\+6 \(>= [\d.]+\)")
        for other in ("boost", "spdlog", "fmt", "protobuf", "png"):
            self.assertNotIn(other, depends)
        run("dpkg-deb", "-e", Tree.packages["libprocpool0"], self.folder / "control")
        self.assertEqual((self.folder / "control" / "shlibs").read_text().split()[:3],
                         ["libprocpool", "0", "libprocpool0"])
        self.assertIn("ldconfig", (self.folder / "control" / "postinst").read_text())

    def test_development(self):
        files = self.files("libprocpool-dev")
        self.assertEqual({path.removeprefix("/usr/include/") for path in files if path.startswith("/usr/include/")},
                         set(public_headers()))
        others = {Path(path).name for path in files if not path.startswith(("/usr/include/", "/usr/share/doc/"))}
        self.assertLessEqual({"libprocpool.so", "libprocpool.a", "procpoolConfig.cmake", "procpoolConfigVersion.cmake",
                              "procpoolTargets.cmake"}, others)
        self.assertIn("libprocpool0 (= 0.2.0)", self.fields("libprocpool-dev")["Depends"])

    def test_programs(self):
        files = self.files("procpool")
        self.assertEqual({path for path in files if path.startswith("/usr/libexec/")},
                         {f"/usr/libexec/procpool/{name}" for name in ("master", "worker", "worker_dynamic",
                                                                       "empty_program")})
        self.assertEqual(files["/usr/bin/procpool"], ("lrwxrwxrwx", "../libexec/procpool/master"))
        depends = self.fields("procpool")["Depends"]
        self.assertRegex(depends, r"libpng16-16 \(>= [\d.-]+\)")
        self.assertNotIn("libprocpool", depends)


class Consumer(EndToEnd):
    def use(self, *definitions):
        """Configures and builds the consumer, and runs what it made."""
        build = self.folder / "build"
        launcher = setting("CMAKE_CXX_COMPILER_LAUNCHER")
        run("cmake", "-S", CONSUMER, "-B", build, "-G", setting("CMAKE_GENERATOR"),
            f"-DCMAKE_CXX_COMPILER={setting('CMAKE_CXX_COMPILER')}", f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}",
            "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", *definitions)
        run("cmake", "--build", build, "--parallel", 2)
        programs = build / "consumer_bin"
        self.assertEqual({path.name for path in programs.iterdir()},
                         {"own_worker", "own_worker_static", "two_programs", "worker"})
        for name in ("own_worker", "own_worker_static"):
            ended = self.master(program=programs / name)
            self.assertEqual(ended.out, "own worker, procpool 0.2.0: all is well\n")
        ended = self.master(programs / "worker", program=programs / "two_programs")
        self.assertEqual(ended.out, "two programs: all is well\n")
        for name, is_static in (("own_worker", False), ("own_worker_static", True), ("worker", True)):
            self.assertEqual("(NEEDED)" not in run("readelf", "--dynamic", programs / name), is_static, name)

    def test_installed(self):
        self.use(f"-DCMAKE_PREFIX_PATH={Tree.installed}")

    def test_from_the_debian_packages(self):
        self.use(f"-DCMAKE_PREFIX_PATH={Tree.unpacked / 'usr'}")

    def test_as_a_part_of_the_project(self):
        self.use(f"-DPROCPOOL_SOURCE={ROOT}")


if __name__ == "__main__":
    main()

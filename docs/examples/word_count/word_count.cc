// Counts the words of text files, each in a task of its own, and prints the ten most frequent.
//
//   word_count PATH…        files, or folders whose files are all read
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <procpool/cereal.h>
#include <procpool/pool.h>
#include <procpool/worker.h>
#include <cereal/types/map.hpp>  // these two let the task's result travel
#include <cereal/types/string.hpp>

namespace fs = std::filesystem;
using Counts = std::map<std::string, int>;

// A word is made of letters, whatever their case. The path travels, the text does not: each worker
// reads its files itself.
Counts CountWords(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Counts counts;
  std::string word;
  for (char letter = 0; file.get(letter);) {
    if (std::isalpha(static_cast<unsigned char>(letter)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else if (!word.empty()) {
      ++counts[std::exchange(word, "")];
    }
  }
  if (!word.empty()) ++counts[word];
  return counts;
}

const procpool::Task count_words{"count_words", CountWords};

std::vector<std::string> FilesOf(int argc, char** argv) {
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  if (argc < 2) {
    std::fprintf(stderr, "usage: word_count PATH…\n");
    return 2;
  }
  const std::vector<std::string> files = FilesOf(argc, argv);

  Counts total;
  int failed = 0;
  procpool::Pool pool;
  auto results = pool.imap_unordered(count_words, files);
  while (true) {
    try {
      // A file that cannot be read is an error of its own: next() goes on behind it.
      const std::optional<Counts> counts = results.next();
      if (!counts) break;
      for (const auto& [word, count] : *counts) total[word] += count;
    } catch (const procpool::TaskFailed& error) {
      std::fprintf(stderr, "word_count: %s\n", error.text().c_str());
      ++failed;
    }
  }

  std::vector<std::pair<std::string, int>> words(total.begin(), total.end());
  std::ranges::stable_sort(words, std::ranges::greater(), &std::pair<std::string, int>::second);
  std::printf("%zu of %zu files, %zu different words\n", files.size() - failed, files.size(),
              words.size());
  if (words.size() > 10) words.resize(10);
  for (const auto& [word, count] : words) std::printf("%6d  %s\n", count, word.c_str());
  return failed == 0 ? 0 : 1;
}

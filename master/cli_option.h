// Building blocks of the command lines: options whose value is a name or a number, alone or as a
// list, read strictly.
//
// Promise: a value that is not allowed gives one line that names the option, the value and what is
// allowed; nothing is truncated, rounded or guessed.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace procpool {

template <typename T>
using Names = std::vector<std::pair<std::string, T>>;

template <typename T>
std::string Listed(const Names<T>& names) {
  std::string text;
  for (const auto& [name, value] : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

inline Names<std::string> SameNames(const std::vector<std::string>& names) {
  Names<std::string> pairs;
  for (const std::string& name : names) pairs.emplace_back(name, name);
  return pairs;
}

template <typename T>
T ParseChoice(const std::string& option, const std::string& text, const Names<T>& names) {
  for (const auto& [name, value] : names) {
    if (name == text) return value;
  }
  throw CLI::ValidationError(option, "'" + text + "' is unknown; allowed are " + Listed(names));
}

template <typename Number>
Number ParseNumber(const std::string& option, const std::string& text, Number least, Number most) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || !(number >= least && number <= most)) {
    std::ostringstream allowed;
    allowed << "'" << text << "' is not a number from " << least << " to " << most;
    throw CLI::ValidationError(option, allowed.str());
  }
  return number;
}

/// An option whose value is one of some names.
template <typename T>
CLI::Option* AddChoice(CLI::App& app, const std::string& option, T& target, const Names<T>& names,
                       const std::string& help, const std::string& shown_default) {
  return app
      .add_option_function<std::string>(
          option,
          [&target, names, option](const std::string& text) {
            target = ParseChoice(option, text, names);
          },
          help + ": " + Listed(names))
      ->type_name("NAME")
      ->default_str(shown_default);
}

template <typename Number>
CLI::Option* AddNumber(CLI::App& app, const std::string& option, Number least, Number most,
                       std::function<void(Number)> set, const std::string& help) {
  return app
      .add_option_function<std::string>(
          option,
          [=](const std::string& text) { set(ParseNumber<Number>(option, text, least, most)); },
          help)
      ->type_name("N");
}

/// Several values, separated by commas: "pipe,shm". `parse` reads one of them.
template <typename T>
CLI::Option* AddList(CLI::App& app, const std::string& option, std::vector<T>& target,
                     std::function<T(const std::string&)> parse, const std::string& help,
                     const std::string& shown_default) {
  return app
      .add_option_function<std::string>(
          option,
          [&target, parse, option](const std::string& text) {
            std::vector<T> values;
            if (text.empty()) throw CLI::ValidationError(option, "the list given is empty");
            // A comma too many makes an empty part, which no parser accepts.
            for (std::size_t begin = 0; begin <= text.size();) {
              const std::size_t end = std::min(text.find(',', begin), text.size());
              values.push_back(parse(text.substr(begin, end - begin)));
              begin = end + 1;
            }
            target = std::move(values);
          },
          help)
      ->type_name("A,B,…")
      ->default_str(shown_default);
}

template <typename T>
CLI::Option* AddChoiceList(CLI::App& app, const std::string& option, std::vector<T>& target,
                           const Names<T>& names, const std::string& help,
                           const std::string& shown_default) {
  return AddList<T>(
      app, option, target,
      [names, option](const std::string& text) { return ParseChoice(option, text, names); },
      help + ": " + Listed(names), shown_default);
}

template <typename Number>
CLI::Option* AddNumberList(CLI::App& app, const std::string& option, std::vector<Number>& target,
                           Number least, Number most, const std::string& help,
                           const std::string& shown_default) {
  return AddList<Number>(
      app, option, target,
      [=](const std::string& text) { return ParseNumber<Number>(option, text, least, most); }, help,
      shown_default);
}

/// An empty name is a mistake (an unset variable in a script), not a wish for the default.
inline CLI::Option* AddName(CLI::App& app, const std::string& option, std::string& target,
                            const std::string& help) {
  return app.add_option_function<std::string>(
      option,
      [&target, option](const std::string& text) {
        if (text.empty()) throw CLI::ValidationError(option, "the name given is empty");
        target = text;
      },
      help);
}

}  // namespace procpool

// A TOML file, read key by key, whose errors name file, line, key and what is allowed.
//
// Every reading function throws Error{kUser} unless the key is there, of the right type and in
// range. The TOML library stays behind this header: it is large, and only toml_table.cc compiles
// it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace procpool {

/// What a number may be; NaN never is allowed.
enum class NumberRange { kFinite, kPositive /* and finite */, kPositiveOrInfinite };

/// One table, [like.this]. A copy is cheap and keeps the file's content alive.
class TomlTable {
 public:
  /// The file's top level. `source` is its name in messages.
  static TomlTable Parse(std::string_view text, std::string_view source);

  /// Refuses keys that are not among `keys`. To be called first, so that a misspelt key is reported
  /// as unknown rather than as missing.
  void AllowOnly(std::initializer_list<std::string_view> keys) const;

  bool Has(std::string_view key) const;
  TomlTable Table(std::string_view key) const;
  std::string String(std::string_view key, std::string_view allowed = "a text in quotes") const;
  std::int64_t Integer(std::string_view key, std::int64_t smallest, std::int64_t largest) const;
  double Number(std::string_view key, NumberRange range) const;
  /// [re, im], both finite.
  std::pair<double, double> Complex(std::string_view key) const;

  /// One of a few words, each standing for a value.
  template <typename Value>
  using Choices = std::initializer_list<std::pair<std::string_view, Value>>;
  template <typename Value>
  Value Choice(std::string_view key, Choices<Value> choices) const {
    std::string allowed;
    for (const auto& [word, value] : choices) {
      allowed.append(allowed.empty() ? "\"" : " or \"").append(word).append("\"");
    }
    const std::string given = String(key, allowed);
    for (const auto& [word, value] : choices) {
      if (word == given) return value;
    }
    Refuse(key, "is \"" + given + "\"", "give " + allowed);
  }

  /// Throws the error for a key that is there but cannot stand: "key <key> <cause>; <remedy>".
  [[noreturn]] void Refuse(std::string_view key, std::string_view cause,
                           std::string_view remedy) const;

 private:
  struct State;
  explicit TomlTable(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace procpool

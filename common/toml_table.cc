#include "common/toml_table.h"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <procpool/error.h>
#include "common/quoted.h"

namespace procpool {

struct TomlTable::State {
  std::shared_ptr<const toml::table> root;  // owns `table`
  const toml::table* table;
  std::string source;
  std::string path;  // "grid.real"; empty at the top
  toml::source_index line;

  std::string FullKey(std::string_view key) const {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  [[noreturn]] void Fail(toml::source_index at, std::string_view cause,
                         std::string_view remedy) const {
    const std::string object = Quoted(source) + " line " + std::to_string(at);
    throw Error(Blame::kUser, {"read", object, OneLine(cause), OneLine(remedy)});
  }

  const toml::node& Find(std::string_view key, std::string_view allowed) const {
    const toml::node* node = table->get(key);
    if (node == nullptr) {
      Fail(line, "key " + FullKey(key) + " is missing", "give " + std::string(allowed));
    }
    return *node;
  }

  [[noreturn]] void FailNode(const toml::node& node, std::string_view key, std::string_view cause,
                             std::string_view remedy) const {
    Fail(node.source().begin.line, "key " + FullKey(key) + " " + std::string(cause), remedy);
  }

  [[noreturn]] void FailType(const toml::node& node, std::string_view key,
                             std::string_view allowed) const {
    std::string type(toml::impl::node_type_friendly_names[static_cast<std::size_t>(node.type())]);
    FailNode(node, key, "is of type " + type, "give " + std::string(allowed));
  }
};

namespace {

std::string NumberText(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.begin(), text.end(), number).ptr;
  return {text.begin(), end};
}

std::string_view Describe(NumberRange range) {
  switch (range) {
    case NumberRange::kPositive:
      return "a finite number above 0";
    case NumberRange::kPositiveOrInfinite:
      return "a number above 0, or inf";
    default:
      return "a finite number";
  }
}

bool Allows(NumberRange range, double number) {
  if (range == NumberRange::kFinite) return std::isfinite(number);
  return number > 0 && (range == NumberRange::kPositiveOrInfinite || std::isfinite(number));
}

}  // namespace

TomlTable TomlTable::Parse(std::string_view text, std::string_view source) {
  State state{
      .root = nullptr, .table = nullptr, .source = std::string(source), .path = "", .line = 1};
  try {
    state.root = std::make_shared<const toml::table>(toml::parse(text));
  } catch (const toml::parse_error& error) {
    state.Fail(error.source().begin.line, error.description(), "correct the TOML there");
  }
  state.table = state.root.get();
  return TomlTable(std::make_shared<const State>(std::move(state)));
}

void TomlTable::AllowOnly(std::initializer_list<std::string_view> keys) const {
  // Tables keep their keys sorted; the reader wants the first in the file.
  const toml::key* unknown = nullptr;
  for (const auto& [key, value] : *state_->table) {
    if (std::ranges::find(keys, key.str()) != keys.end()) continue;
    if (unknown == nullptr || key.source().begin < unknown->source().begin) unknown = &key;
  }
  if (unknown == nullptr) return;
  std::string known;
  for (const std::string_view key : keys) known.append(known.empty() ? "" : ", ").append(key);
  state_->Fail(
      unknown->source().begin.line, "key " + state_->FullKey(unknown->str()) + " is unknown",
      (state_->path.empty() ? "the top level" : "[" + state_->path + "]") + " takes " + known);
}

bool TomlTable::Has(std::string_view key) const {
  return state_->table->contains(key);
}

TomlTable TomlTable::Table(std::string_view key) const {
  const std::string allowed = "a table, [" + state_->FullKey(key) + "]";
  const toml::node& node = state_->Find(key, allowed);
  const toml::table* table = node.as_table();
  if (table == nullptr) state_->FailType(node, key, allowed);
  return TomlTable(std::make_shared<const State>(State{.root = state_->root,
                                                       .table = table,
                                                       .source = state_->source,
                                                       .path = state_->FullKey(key),
                                                       .line = node.source().begin.line}));
}

std::string TomlTable::String(std::string_view key, std::string_view allowed) const {
  const toml::node& node = state_->Find(key, allowed);
  if (!node.is_string()) state_->FailType(node, key, allowed);
  return node.as_string()->get();
}

std::int64_t TomlTable::Integer(std::string_view key, std::int64_t smallest,
                                std::int64_t largest) const {
  const std::string allowed =
      "an integer from " + std::to_string(smallest) + " to " + std::to_string(largest);
  const toml::node& node = state_->Find(key, allowed);
  if (!node.is_integer()) state_->FailType(node, key, allowed);
  const std::int64_t integer = node.as_integer()->get();
  if (integer < smallest || integer > largest) {
    state_->FailNode(node, key, "is " + std::to_string(integer), "give " + allowed);
  }
  return integer;
}

double TomlTable::Number(std::string_view key, NumberRange range) const {
  const std::string_view allowed = Describe(range);
  const toml::node& node = state_->Find(key, allowed);
  if (!node.is_number()) state_->FailType(node, key, allowed);
  const double number = *node.value<double>();
  if (!Allows(range, number)) {
    state_->FailNode(node, key, "is " + NumberText(number), "give " + std::string(allowed));
  }
  return number;
}

std::pair<double, double> TomlTable::Complex(std::string_view key) const {
  constexpr std::string_view kAllowed = "[re, im], two finite numbers";
  const toml::node& node = state_->Find(key, kAllowed);
  const toml::array* array = node.as_array();
  if (array == nullptr) state_->FailType(node, key, kAllowed);
  std::array<double, 2> parts{};
  if (array->size() != parts.size()) {
    state_->FailNode(node, key, "has " + std::to_string(array->size()) + " elements",
                     "give " + std::string(kAllowed));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const toml::node& part = (*array)[i];
    if (!part.is_number()) {
      state_->FailNode(part, key, "has an element that is no number",
                       "give " + std::string(kAllowed));
    }
    parts[i] = *part.value<double>();
    if (!std::isfinite(parts[i])) {
      state_->FailNode(part, key, "has the element " + NumberText(parts[i]),
                       "give " + std::string(kAllowed));
    }
  }
  return {parts[0], parts[1]};
}

void TomlTable::Refuse(std::string_view key, std::string_view cause,
                       std::string_view remedy) const {
  const toml::node* node = state_->table->get(key);
  if (node == nullptr) {
    state_->Fail(state_->line, "key " + state_->FullKey(key) + " " + std::string(cause), remedy);
  }
  state_->FailNode(*node, key, cause, remedy);
}

}  // namespace procpool

#include "master/terminal_answer.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace procpool {
namespace {

// No answer is nearly as long; what is longer is none.
constexpr std::size_t kLongest = 256;

// "1;2;3"; nothing where there is anything but numbers. An empty one is 0.
std::optional<std::vector<std::uint32_t>> Numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  for (;;) {
    const std::string_view part = text.substr(0, text.find(';'));
    std::uint32_t number = 0;
    const char* end = part.data() + part.size();
    const auto [stopped, error] = std::from_chars(part.data(), end, number);
    if (!part.empty() && (error != std::errc() || stopped != end)) return std::nullopt;
    numbers.push_back(number);
    if (part.size() == text.size()) return numbers;
    text.remove_prefix(part.size() + 1);
  }
}

}  // namespace

void TerminalAnswerReader::Take(char byte) {
  constexpr char kEscapeByte = '\x1b';
  switch (state_) {
    case State::kText:
      if (byte == kEscapeByte) state_ = State::kEscape;
      return;
    case State::kEscape:
      body_.clear();
      if (byte == '[') {
        state_ = State::kControl;
      } else if (byte == '_') {
        state_ = State::kApplication;
      } else if (byte != kEscapeByte) {
        state_ = State::kText;
      }
      return;
    case State::kControl:
      if (byte == kEscapeByte) {
        state_ = State::kEscape;
      } else if (byte >= '@' && byte <= '~') {
        EndControl(byte);
        state_ = State::kText;
      } else if (byte < ' ' || body_.size() == kLongest) {
        state_ = State::kText;
      } else {
        body_ += byte;
      }
      return;
    case State::kApplication:
      if (byte == kEscapeByte) {
        state_ = State::kApplicationEscape;
      } else if (body_.size() == kLongest) {
        state_ = State::kText;
      } else {
        body_ += byte;
      }
      return;
    case State::kApplicationEscape:
      if (byte == '\\') {
        EndApplication();
        state_ = State::kText;
      } else {  // it was cut short by another sequence
        state_ = State::kEscape;
        Take(byte);
      }
      return;
  }
}

void TerminalAnswerReader::EndControl(char final) {
  const bool is_private = body_.starts_with('?');
  const auto numbers = Numbers(std::string_view(body_).substr(is_private ? 1 : 0));
  if (!numbers) return;
  const std::vector<std::uint32_t>& n = *numbers;
  if (is_private && final == 'c') {
    answer_.sixel = std::ranges::find(n, 4U) != n.end();
    complete_ = true;
  } else if (is_private && final == 'S' && n.size() == 3 && n[0] == 1 && n[1] == 0) {
    answer_.sixel_colours = n[2];
  } else if (!is_private && final == 't' && n.size() == 3 && n[0] == 4) {
    answer_.pixels = {n[2], n[1]};
  }
}

void TerminalAnswerReader::EndApplication() {
  // An error would show that the protocol is known, but also that this terminal does not do it.
  if (body_ == "Gi=31;OK") answer_.kitty = true;
}

}  // namespace procpool

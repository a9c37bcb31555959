#include "tests/soak/caller.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <tuple>

#include "tests/soak/tasks.h"
#include "tests/soak/violation.h"

namespace procpool::soak {
namespace {

using std::chrono::milliseconds;

// The round's watchdog barks later: this says which call it was.
constexpr std::chrono::seconds kLongestWait{60};

template <typename T>
void RequireAnswer(T& awaited, const char* what) {
  Require(awaited.wait_for(kLongestWait), std::string(what) + " is not answered");
}

}  // namespace

void Caller::Run(int steps) {
  try {
    for (int step = 0; step < steps; ++step) Step();
  } catch (const PoolClosed&) {
    Require(is_ending_, "a pool that nobody ends takes no more calls");
  }
}

void Caller::Step() {
  // A call that hangs is ended by its timeout, so there always is one.
  const auto calls = pool_.with({.chunk_size = Pick(5),
                                 .timeout = milliseconds(60 + Pick(60)),
                                 .retries = Pick(3),
                                 .retry_exceptions = Pick(2) == 0,
                                 .window = Pick(3) * 40});
  switch (Pick(7)) {
    case 0:
    case 1:
      return SingleCalls(calls);
    case 2:
      return Map(calls);
    case 3:
    case 4:
      return Stream(calls);
    case 5:
      return LongValues(calls);
    default:
      Arrays(calls);
      if (Pick(3) == 0) pool_.resize(1 + Pick(5));
  }
}

std::vector<int> Caller::Numbers(unsigned most) {
  std::vector<int> numbers(Pick(most));
  for (int& number : numbers) number = Number();
  return numbers;
}

template <typename Take>
bool Caller::Took(const Take& take, bool was_cancelled) {
  try {
    take();
    ++tally_.results;
    return true;
  } catch (const PoolClosed&) {
    throw;  // no call's error
  } catch (const Cancelled&) {
    Require(was_cancelled || is_ending_, "a call that nobody cancelled is cancelled");
    ++tally_.cancelled;
  } catch (const WorkerDied&) {
    ++tally_.died;
  } catch (const TaskFailed& error) {
    Require(error.type() == "std::runtime_error" && error.text().starts_with("number "),
            std::string("a task threw what it does not throw: ") + error.what());
    ++tally_.threw;
  } catch (const TimedOut&) {
    ++tally_.timed_out;
  } catch (const Error& error) {
    throw Violation(std::string("a call ends with ") + error.what());
  }
  return false;
}

void Caller::SingleCalls(const Calls& calls) {
  const std::vector<int> numbers = Numbers(150);
  std::vector<Future<int>> futures;
  for (const int number : numbers) futures.push_back(calls.apply_async(act, number));
  std::vector<bool> cancelled(numbers.size());
  for (std::size_t i = 0; i < futures.size(); ++i) {
    if (Pick(10) == 0) cancelled[i] = futures[i].cancel();
  }
  for (std::size_t i = 0; i < futures.size(); ++i) {
    RequireAnswer(futures[i], "a single call");
    const bool came =
        Took([&] { Require(futures[i].get() == numbers[i], "the result of another call"); },
             cancelled[i]);
    Require(!came || !cancelled[i], "a call that was cancelled has a result");
    const Deed deed = DeedOf(numbers[i]);
    Require(!came || deed == Deed::kReturn || deed == Deed::kNap,
            "a call that cannot have a result has one");
  }
}

void Caller::Map(const Calls& calls) {
  const std::vector<int> numbers = Numbers(250);
  auto map = calls.map_async(act, numbers);
  const bool cancelled = Pick(5) == 0 && map.cancel();
  RequireAnswer(map, "a map");
  Took([&] { Require(map.get() == numbers, "the results of a map are wrong"); }, cancelled);
}

void Caller::Stream(const Calls& calls) {
  const std::vector<int> numbers = Numbers(250);
  const bool ordered = Pick(2) == 0;
  auto results = ordered ? calls.imap(act, numbers) : calls.imap_unordered(act, numbers);
  const std::size_t stop_at = Pick(3) == 0 ? Pick(250) : numbers.size() + 1;
  std::vector<int> missing(numbers);
  std::sort(missing.begin(), missing.end());
  std::size_t answered = 0;
  for (; answered < stop_at; ++answered) {
    RequireAnswer(results, "a stream");
    bool more = true;
    const bool ended = is_ending_;
    const bool came = Took([&] {
      const std::optional<int> value = results.next();
      more = value.has_value();
      if (!more) return;
      if (ordered) Require(*value == numbers.at(answered), "a stream's result in a wrong place");
      const auto found = std::lower_bound(missing.begin(), missing.end(), *value);
      Require(found != missing.end() && *found == *value, "a stream's result that comes twice");
      missing.erase(found);
    });
    if (!more) break;
    if (!came && (ended || is_ending_)) return;  // the rest went with the pool
  }
  if (stop_at > numbers.size()) {
    Require(answered == numbers.size(), "a stream with more or fewer results than calls");
  }
}

void Caller::LongValues(const Calls& calls) {
  std::vector<int> numbers(random_() % 60'000);
  std::iota(numbers.begin(), numbers.end(), Number());
  auto call = calls.apply_async(reversed, numbers);
  RequireAnswer(call, "a call of a long argument");
  std::reverse(numbers.begin(), numbers.end());
  Took([&] { Require(call.get() == numbers, "a long result is wrong"); });
}

void Caller::Arrays(const Calls& calls) {
  const SharedArray<int> array(1 + random_() % 30'000);
  const int number = Number();
  std::vector<std::tuple<SharedArray<int>, int>> parts;
  for (const auto& part : array.parts(1 + Pick(8))) parts.emplace_back(part, number);
  auto map = calls.starmap_async(fill, parts);
  RequireAnswer(map, "a map over a shared array");
  Took([&] {
    map.get();
    Require(
        std::count(array.begin(), array.end(), number) == static_cast<std::ptrdiff_t>(array.size()),
        "a shared array lacks what a call wrote");
  });
}

}  // namespace procpool::soak

// Calls of typed tasks, from the caller's values to his results, without a worker between: what a
// batch writes is what the task reads, and the other way round.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <procpool/detail/call_batch.h>
#include <procpool/detail/range_batch.h>
#include <procpool/detail/typed_task.h>
#include "common/shared_memory.h"
#include "tests/own_types.h"
#include "tests/typed_calls.h"

namespace procpool::detail {
namespace {

TEST(TypedCalls, FlatArgumentsAndResults) {
  Here<int(int)>::Expect([](int x) { return x * x; }, std::vector{1, 2, 3, 4, 5},
                         {1, 4, 9, 16, 25});
  Here<double(int)>::Expect([](int x) { return x / 2.0; }, std::vector<short>{1, 2, 3},
                            {0.5, 1, 1.5});
  Here<own::Point(own::Color)>::Expect(
      [](own::Color color) {
        return own::Point{static_cast<double>(color), 1};
      },
      std::vector{own::Color::kRed, own::Color::kBlue}, {{1, 1}, {-2, 1}});
  Here<own::Count(own::Line)>::Expect([](const own::Line& line) { return own::Count(line.number); },
                                      std::vector{own::Line{3}, own::Line{4}},
                                      {own::Count(3), own::Count(4)});
  Here<bool(int)>::Expect([](int x) { return x > 1; }, std::vector{1, 2}, {false, true});
}

TEST(TypedCalls, NoElementsAtAll) {
  Here<int(int)>::Expect([](int x) { return x; }, std::vector<int>(), {});
  Here<std::string(std::string)>::Expect([](const std::string& x) { return x; },
                                         std::vector<std::string>(), {});
}

TEST(TypedCalls, SequencesAsArgumentsAndResults) {
  Here<std::size_t(std::string_view)>::Expect(
      [](std::string_view text) { return text.size(); },
      std::vector<std::string>{"", "a", "bc", std::string(1000, 'x')}, {0, 1, 2, 1000});
  Here<std::string(const std::string&)>::Expect([](const std::string& text) { return text + "!"; },
                                                std::vector<std::string>{"", "a"}, {"!", "a!"});
  Here<std::vector<double>(std::span<const double>)>::Expect(
      [](std::span<const double> numbers) {
        return std::vector<double>(numbers.rbegin(), numbers.rend());
      },
      std::vector<std::vector<double>>{{1, 2, 3}, {}, {4}}, {{3, 2, 1}, {}, {4}});
  // A view as a result becomes what it shows.
  Here<std::span<const int>(std::span<const int>)>::Expect(
      [](std::span<const int> numbers) { return numbers.first(numbers.size() / 2); },
      std::vector<std::vector<int>>{{1, 2}, {3, 4, 5, 6}}, {{1}, {3, 4}});
  Here<std::string(int)>::Expect(
      [](int x) { return std::string(static_cast<std::size_t>(x), 'y'); }, std::vector{0, 1, 20},
      {"", "y", std::string(20, 'y')});
}

TEST(TypedCalls, AlignedElements) {
  Here<bool(std::span<const own::Wide>)>::Expect(
      [](std::span<const own::Wide> wide) {
        return reinterpret_cast<std::uintptr_t>(wide.data()) % alignof(own::Wide) == 0 &&
               wide[0].more == 7;
      },
      std::vector<std::vector<own::Wide>>{{{1, 7}, {2, 3}}, {{1, 7}}}, {true, true});
}

TEST(TypedCalls, CodedArgumentsAndResults) {
  Here<own::Name(own::Name)>::Expect(
      [](const own::Name& name) { return own::Name{name.text + " the second"}; },
      std::vector<own::Name>{{"Ada"}, {""}}, {{"Ada the second"}, {" the second"}});
}

TEST(TypedCalls, TasksWithoutAResult) {
  int sum = 0;
  Here<void(int)>::Expect([&sum](int x) { sum += x; }, std::vector{1, 2, 3}, {});
  EXPECT_EQ(sum, 6 * static_cast<int>(std::size(kChunks) * std::size(kPieces)));
}

TEST(TypedCalls, SeveralArguments) {
  using Tuple = std::tuple<std::string, int, std::vector<double>, own::Name, char>;
  Here<std::string(std::string_view, int, std::span<const double>, own::Name, char)>::Expect<
      Elements::kTuples>(
      [](std::string_view text, int count, std::span<const double> numbers, const own::Name& name,
         char last) {
        return std::string(text) + std::to_string(count) + std::to_string(numbers.size()) +
               name.text + last;
      },
      std::vector<Tuple>{{"a", 1, {1, 2}, {"Bo"}, 'c'}, {"", -1, {}, {""}, 'd'}},
      {"a12Boc", "-10d"});
  Here<int(int, char, double)>::Expect<Elements::kTuples>(
      [](int a, char b, double c) { return a + b + static_cast<int>(c); },
      std::vector<std::tuple<int, char, double>>{{1, 2, 3.5}, {4, 5, 6.5}}, {6, 15});
  Here<int(int, int)>::Expect<Elements::kTuples>([](int a, int b) { return a * b; },
                                                 std::vector<std::pair<int, int>>{{2, 3}, {4, 5}},
                                                 {6, 20});
}

TEST(TypedCalls, SharedArrays) {
  const SharedArray<int> array(10);
  std::iota(array.begin(), array.end(), 0);
  Here<int(SharedArray<int>)>::Expect(
      [](const SharedArray<int>& part) { return std::accumulate(part.begin(), part.end(), 0); },
      array.parts(3), {0 + 1 + 2 + 3, 4 + 5 + 6, 7 + 8 + 9});
}

// Where an iterator makes the elements, they do not lie anywhere.
TEST(TypedCalls, ElementsThatAreMadeOnTheWay) {
  Here<long(bool)>::Expect([](bool x) { return x ? 10L : 20L; },
                           std::vector<bool>{true, false, true}, {10, 20, 10});
}

TEST(TypedCalls, ASingleCallWithAndWithoutArguments) {
  const auto answer = [] { return 42; };
  using None = CallBatch<std::tuple<>, int>;
  auto state = std::make_shared<None::State>(nullptr);
  const auto none = std::make_shared<None>(Task<int()>("task"), std::tuple<>(), state);
  TypedTask<decltype(answer), int> answers(answer, static_cast<Batch&>(*none).context());
  ASSERT_NO_FATAL_FAILURE(RunHere(*none, answers, 100));
  static_cast<Batch&>(*none).Ended(nullptr);
  EXPECT_EQ(state->Value(), 42);

  const auto join = [](const std::string& a, int b) { return a + std::to_string(b); };
  using Two = CallBatch<std::tuple<const char*, int>, std::string, std::string, int>;
  auto joined = std::make_shared<Two::State>(nullptr);
  const auto two = std::make_shared<Two>(Task<std::string(std::string, int)>("task"),
                                         std::tuple("x", 5), joined);
  TypedTask<decltype(join), std::string, std::string, int> joins(
      join, static_cast<Batch&>(*two).context());
  ASSERT_NO_FATAL_FAILURE(RunHere(*two, joins, 3));
  static_cast<Batch&>(*two).Ended(nullptr);
  EXPECT_EQ(joined->Value(), "x5");
}

TEST(TypedCalls, TheInputOfASingleCallIsWhatATaskReads) {
  const auto function = [](std::string_view text, int number) {
    return static_cast<int>(text.size()) + number;
  };
  Bytes input;
  Memories shared;
  WriteCall<std::string_view, int>(input, shared, std::string("four"), 3);
  const std::string signature = SignatureText<int, std::string_view, int>();
  TypedTask<decltype(function), int, std::string_view, int> runner(
      function, TaskContext{false, signature}.Encode());
  PiecesOutput output(100);
  runner.Run(input, output);
  int result = 0;
  ASSERT_EQ(output.result.size(), sizeof result);
  std::memcpy(&result, output.result.data(), sizeof result);
  EXPECT_EQ(result, 7);
}

// ---- calls that throw

template <typename Signature>
struct Throwing;
template <typename R, typename Arg>
struct Throwing<R(Arg)> {
  // Every second call throws; the others have their results all the same.
  template <typename F, typename Range>
  static void Expect(F function, const Range& range) {
    int number = 0;
    const auto throwing = [&number, function](Arg argument) -> R {
      if (number++ % 2 == 1) throw std::runtime_error("call " + std::to_string(number - 1));
      return function(argument);
    };
    const Task<R(Arg)> task("task");
    using MapBatch = RangeBatch<Elements::kArguments, Range, R, Arg>;
    for (const std::uint64_t chunk : kChunks) {
      for (const std::size_t piece : kPieces) {
        number = 0;
        auto state = std::make_shared<typename MapBatch::State>(nullptr);
        const auto typed = std::make_shared<MapBatch>(task, range, chunk, state);
        Batch& batch = *typed;
        TypedTask<decltype(throwing), R, Arg> runner(throwing, batch.context());
        std::set<std::uint64_t> failed;
        ASSERT_NO_FATAL_FAILURE(RunHere(batch, runner, piece, &failed));
        ASSERT_EQ(failed, (std::set<std::uint64_t>{1, 3}));
        // They are done again, each alone, and then they have a result as well.
        for (const std::uint64_t call : failed) {
          number = 0;
          HeapRoom room;
          Memories shared;
          const auto input = batch.Input(call, 1, room, shared);
          const Bytes sent(input.begin(), input.end());
          PiecesOutput output(piece);
          runner.Run(sent, output);
          ASSERT_TRUE(output.failed.empty());
          DoneChunk done{.first = call, .count = 1, .again = true};
          if (batch.FlatResultBytes() != 0) {
            std::ranges::copy(output.result, batch.FlatResults(call, 1).begin());
          } else {
            done.bytes = output.result;
          }
          batch.Done(std::move(done));
        }
        batch.Ended(nullptr);
        const auto& values = state->Value();
        ASSERT_EQ(values.size(), std::ranges::size(range));
        for (std::size_t i = 0; i < values.size(); ++i)
          EXPECT_TRUE(values[i] == function(range[i]));
      }
    }
  }
};

TEST(TypedCalls, ACallThatThrowsLeavesTheOthersAlone) {
  Throwing<int(int)>::Expect([](int x) { return x + 1; }, std::vector{1, 2, 3, 4, 5});
  Throwing<std::string(int)>::Expect([](int x) { return std::to_string(x); },
                                     std::vector{1, 22, 333, 4444, 5});
  Throwing<std::string(std::string)>::Expect([](const std::string& x) { return x + x; },
                                             std::vector<std::string>{"a", "", "ccc", "d", "e"});
  Throwing<int(std::string)>::Expect(
      [](const std::string& x) { return static_cast<int>(x.size()); },
      std::vector<std::string>{"a", "", "ccc", "d", "e"});
  Throwing<own::Name(std::string)>::Expect([](const std::string& x) { return own::Name{x}; },
                                           std::vector<std::string>{"a", "", "ccc", "d", "e"});
}

TEST(TypedCalls, WhateverIsThrownIsTheCallsAnswer) {
  const auto function = [](int x) -> int {
    if (x == 1) throw 5;  // no std::exception
    return x;
  };
  const std::string signature = SignatureText<int, int>();
  TypedTask<decltype(function), int, int> runner(function, TaskContext{false, signature}.Encode());
  const std::vector<int> input{0, 1, 2};
  PiecesOutput output(5);
  runner.Run(std::as_bytes(std::span(input)), output);
  EXPECT_EQ(output.failed.size(), 1U);
  std::vector<int> results(3);
  ASSERT_EQ(output.result.size(), 12U);
  std::memcpy(results.data(), output.result.data(), 12);
  EXPECT_EQ(results, (std::vector{0, 0, 2})) << "zero bytes in its place";
}

TEST(TypedCalls, WhatWasWrittenOfAResultThatCannotBeIsNotSent) {
  const auto by_number = [](int x) { return own::Fickle{"abc", x == 1}; };
  const std::string signature = SignatureText<own::Fickle, int>();
  TypedTask<decltype(by_number), own::Fickle, int> runner(by_number,
                                                          TaskContext{false, signature}.Encode());
  const std::vector<int> input{0, 1, 0};
  PiecesOutput output(1000);
  runner.Run(std::as_bytes(std::span(input)), output);
  EXPECT_EQ(output.failed, (std::map<std::uint64_t, std::string>{{1, "it cannot be written"}}));
  EXPECT_EQ(output.result.size(), (8 + 3) + 8 + (8 + 3));

  const auto by_text = [](const std::string& x) { return own::Fickle{x, true}; };
  const std::string bare = SignatureText<own::Fickle, std::string>();
  TypedTask<decltype(by_text), own::Fickle, std::string> runs_bare(
      by_text, TaskContext{true, bare}.Encode());
  PiecesOutput nothing(1000);
  runs_bare.Run(std::as_bytes(std::span(std::string_view("text"))), nothing);
  EXPECT_EQ(nothing.failed.size(), 1U);
  EXPECT_EQ(nothing.result, Bytes(8)) << "a result of no bytes";
}

// ---- input that is cut short

// Whatever is missing: either the task refuses it as a whole, or a call that lacks something fails.
template <typename R, typename... Args, typename F>
void ExpectCutInputRefused(F function, const Bytes& input) {
  const std::string signature = SignatureText<R, Args...>();
  for (std::size_t length = 0; length < input.size(); ++length) {
    const Bytes cut(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length));
    TypedTask<F, R, Args...> runner(function, TaskContext{false, signature}.Encode());
    PiecesOutput output(64);
    try {
      runner.Run(cut, output);
    } catch (const std::invalid_argument&) {
      continue;
    }
    EXPECT_FALSE(output.failed.empty()) << length << " of " << input.size() << " bytes";
  }
}

TEST(TypedCalls, InputThatIsCutShortIsRefused) {
  Memories shared;
  Bytes input;
  WriteCall<std::string, int, std::vector<double>>(input, shared, std::string("text"), 3,
                                                   std::vector<double>{1, 2, 3});
  ExpectCutInputRefused<int, std::string, int, std::vector<double>>(
      [](const std::string&, int, const std::vector<double>&) { return 1; }, input);
  Bytes coded;
  WriteCall<own::Name, char>(coded, shared, own::Name{"Ada"}, 'c');
  ExpectCutInputRefused<void, own::Name, char>([](const own::Name&, char) {}, coded);
  Bytes none;
  WriteCall<>(none, shared);
  ExpectCutInputRefused<int>([] { return 1; }, none);
}

TEST(TypedCalls, OfFlatArgumentsOnlyWholeOnesAreCalls) {
  int calls = 0;
  const auto function = [&calls](int a, char b) { return calls += a + b; };
  using Function = decltype(function);
  const std::string signature = SignatureText<int, int, char>();
  const Bytes input(20);  // four calls of five bytes
  for (std::size_t length = 0; length <= input.size(); ++length) {
    const Bytes cut(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length));
    TypedTask<Function, int, int, char> runner(function, TaskContext{false, signature}.Encode());
    PiecesOutput output(64);
    runner.Run(cut, output);
    EXPECT_EQ(output.result.size(), length / 5 * sizeof(int)) << "the master sees what is missing";
  }
}

TEST(TypedCalls, AResultThatIsCutShortIsAnError) {
  const Task<std::string(int)> task("task");
  const std::vector<int> range{1, 2};
  using MapBatch = RangeBatch<Elements::kArguments, std::vector<int>, std::string, int>;
  const auto function = [](int x) { return std::to_string(x); };
  auto whole = std::make_shared<MapBatch::State>(nullptr);
  const auto first = std::make_shared<MapBatch>(task, range, 2, whole);
  TypedTask<decltype(function), std::string, int> runner(function,
                                                         static_cast<Batch&>(*first).context());
  PiecesOutput output(64);
  runner.Run(std::as_bytes(std::span(range)), output);
  for (std::size_t length = 0; length < output.result.size(); ++length) {
    auto state = std::make_shared<MapBatch::State>(nullptr);
    const auto typed = std::make_shared<MapBatch>(task, range, 2, state);
    Batch& batch = *typed;
    const auto end = output.result.begin() + static_cast<std::ptrdiff_t>(length);
    batch.Done({.first = 0, .count = 2, .bytes = Bytes(output.result.begin(), end)});
    batch.Ended(nullptr);
    EXPECT_THROW(static_cast<void>(state->Value()), std::invalid_argument) << length;
  }
}

// ---- what a job is told before its calls

TEST(TypedCalls, ATaskOfAnotherTypeRefusesTheJob) {
  const auto function = [](int x) { return x; };
  using Mine = TypedTask<decltype(function), int, int>;
  const std::string signature = SignatureText<int, long>();
  const Bytes context = TaskContext{false, signature}.Encode();
  try {
    const Mine runner(function, context);
    FAIL();
  } catch (const SignatureMismatch& error) {
    EXPECT_NE(std::string(error.what()).find(signature), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("int(int)"), std::string::npos) << error.what();
  }
  EXPECT_THROW(Mine(function, Bytes()), std::invalid_argument);
  EXPECT_THROW(Mine(function, Bytes(7)), std::invalid_argument);
  EXPECT_THROW(Mine(function, Bytes(8)), SignatureMismatch);
}

TEST(TypedCalls, AContextComesBack) {
  for (const bool bare : {false, true}) {
    for (const std::string_view signature : {"", "int(int)"}) {
      const Bytes bytes = TaskContext{bare, signature}.Encode();
      const TaskContext context = TaskContext::Decode(bytes);
      EXPECT_EQ(context.bare, bare);
      EXPECT_EQ(context.signature, signature);
    }
  }
}

TEST(TypedCalls, EachJobHasACopyOfTheFunction) {
  auto counter = [calls = 0](int) mutable { return ++calls; };
  const std::string signature = SignatureText<int, int>();
  const Bytes context = TaskContext{false, signature}.Encode();
  for (int job = 0; job < 2; ++job) {
    TypedTask<decltype(counter), int, int> runner(counter, context);
    const std::array<int, 3> input{};
    PiecesOutput output(64);
    runner.Run(std::as_bytes(std::span(input)), output);
    std::array<int, 3> results{};
    ASSERT_EQ(output.result.size(), sizeof results);
    std::memcpy(results.data(), output.result.data(), sizeof results);
    EXPECT_EQ(results, (std::array{1, 2, 3})) << "it keeps what it changes, and from no other job";
  }
}

}  // namespace
}  // namespace procpool::detail

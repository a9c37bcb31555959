#include "master/given_up_rows.h"

#include <algorithm>
#include <tuple>

namespace procpool {
namespace {

// What the reason says but for the numbers of items and of processes.
auto CauseOf(const GivenUpItem& item) {
  return std::tie(item.cause, item.exit.kind, item.exit.value, item.type, item.text);
}

}  // namespace

std::vector<GivenUpRows> GivenUpRowsOf(std::span<const GivenUpItem> given_up,
                                       std::span<const Chunk> chunks) {
  std::vector<const GivenUpItem*> items;
  for (const GivenUpItem& item : given_up) items.push_back(&item);
  std::ranges::sort(items, {}, [&](const auto* item) { return chunks[item->item].first_row; });
  std::vector<GivenUpRows> rows;
  for (auto first = items.begin(); first != items.end();) {
    const GivenUpItem& item = **first;
    GivenUpRows run{chunks[item.item].first_row, chunks[item.item].rows, item.reason};
    const auto follows = [&](const GivenUpItem& next) {
      return chunks[next.item].first_row == run.first_row + run.rows &&
             CauseOf(next) == CauseOf(item);
    };
    auto next = first + 1;
    for (; next != items.end() && follows(**next); ++next) run.rows += chunks[(*next)->item].rows;
    if (next - first > 1)
      run.reason = std::to_string(next - first) + " items, the first: " + run.reason;
    rows.push_back(std::move(run));
    first = next;
  }
  return rows;
}

}  // namespace procpool

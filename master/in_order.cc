#include "master/in_order.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace procpool {
namespace {

class Makers {
 public:
  explicit Makers(const OrderedPieces& pieces) : pieces_(pieces), made_(pieces.slots, false) {
    const std::size_t threads = std::min<std::size_t>(pieces.threads, pieces.count);
    threads_.reserve(threads);
    try {
      while (threads_.size() < threads) threads_.emplace_back([this] { Make(); });
    } catch (const std::system_error&) {
      // A limit on threads is no reason to fail: fewer do it too.
    }
  }
  Makers(const Makers&) = delete;
  Makers& operator=(const Makers&) = delete;
  ~Makers() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  bool any() const { return !threads_.empty(); }

  void TakeAll() {
    for (std::size_t piece = 0; piece < pieces_.count; ++piece) {
      const std::size_t slot = piece % pieces_.slots;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return made_[slot] || failure_; });
      if (failure_) std::rethrow_exception(failure_);
      lock.unlock();
      if (!pieces_.take(piece, slot)) return;
      lock.lock();
      made_[slot] = false;
      ++taken_;
      lock.unlock();
      changed_.notify_all();
    }
  }

 private:
  void Make() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return Ended() || begun_ < taken_ + pieces_.slots; });
      if (Ended()) return;
      const std::size_t piece = begun_++;
      const std::size_t slot = piece % pieces_.slots;
      lock.unlock();
      std::exception_ptr failure;
      try {
        pieces_.make(piece, slot);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      made_[slot] = true;
      if (!failure_) failure_ = failure;
      changed_.notify_all();
    }
  }
  bool Ended() const { return stopped_ || failure_ || begun_ == pieces_.count; }

  const OrderedPieces& pieces_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> made_;  // for each slot
  std::size_t begun_ = 0;
  std::size_t taken_ = 0;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace

void MakeInOrder(const OrderedPieces& pieces) {
  if (pieces.threads > 1 && pieces.count > 1) {
    Makers makers(pieces);
    if (makers.any()) return makers.TakeAll();
  }
  for (std::size_t piece = 0; piece < pieces.count; ++piece) {
    const std::size_t slot = piece % pieces.slots;
    pieces.make(piece, slot);
    if (!pieces.take(piece, slot)) return;
  }
}

}  // namespace procpool

// Runs continuations one after the other, on a thread of its own that begins with the first of
// them: neither the pool's loop nor a worker waits for what a callback does.
#pragma once

#include <functional>
#include <memory>

#include <procpool/detail/export.h>

namespace procpool::detail {

class PROCPOOL_EXPORT CallbackThread {
 public:
  CallbackThread();
  /// Runs what was posted, then ends the thread; from one of the callbacks it ends after that one.
  ~CallbackThread();
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  /// Waits until nothing is left to run, and nothing runs. At once, if it is called by a callback.
  void WaitUntilIdle();
  /// An exception that leaves `callback` ends the program, as one that leaves a thread does.
  void Post(std::function<void()> callback);

 private:
  struct PROCPOOL_HIDDEN State;
  std::shared_ptr<State> state_;
};

}  // namespace procpool::detail

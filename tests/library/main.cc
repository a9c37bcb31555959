// The tests of the library: this program is its own worker, as a user's program is.
#include <gtest/gtest.h>

#include <procpool/worker.h>

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

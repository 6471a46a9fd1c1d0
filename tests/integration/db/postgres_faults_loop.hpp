#pragma once

#include "postgres_faults_fixture.hpp"
#include "support/loop.hpp"

#include <future>
#include <vector>

namespace faults {

namespace asio = boost::asio;

class loop : public support::loop {
 public:
  /// Starts `make(i)`'s read for each i in one turn of the loop: together they are a group.
  template <class Row, class Make>
  std::vector<std::future<std::vector<Row>>> read_together(db::client& client, int count, Make make,
                                                           db::call_options options = {}) {
    return call([&] {
      std::vector<std::future<std::vector<Row>>> started;
      for (int i = 0; i < count; ++i) {
        started.push_back(client.async_read<Row>(make(i), options, asio::use_future));
      }
      return started;
    });
  }
};

}  // namespace faults

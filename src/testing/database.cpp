#include "scalekit/testing/database.hpp"

#include "db/client_access.hpp"
#include "testing/faulty_backend.hpp"
#include "testing/gate.hpp"

#include <utility>

namespace scalekit::testing {

using db::detail::client_access;

injected_fault::injected_fault(std::shared_ptr<detail::gate> gate,
                               std::shared_ptr<detail::injected> it) noexcept
    : gate_(std::move(gate)), it_(std::move(it)) {}

std::size_t injected_fault::met() const {
  return gate_->met(*it_);
}

bool injected_fault::wait_until_met(std::size_t calls, std::chrono::nanoseconds timeout) const {
  return gate_->wait_until_met(*it_, calls, timeout);
}

void injected_fault::release() {
  gate_->release(*it_);
}

void injected_fault::remove() {
  gate_->remove(*it_);
}

database::database(db::client over, const scalekit::clock& time)
    : gate_(std::make_shared<detail::gate>(time)),
      client_(client_access::with_driver(
          std::make_shared<detail::faulty_backend>(gate_, client_access::driver_of(over)))) {}

database::~database() {
  gate_->shut();
}

db::client database::client() const {
  return client_;
}

injected_fault database::inject(fault what, std::source_location site) {
  return {gate_, gate_->inject(std::move(what), site)};
}

std::vector<std::string> database::faults_left() const {
  return gate_->left();
}

void database::remove_faults() {
  gate_->remove_all();
}

std::vector<logged_call> database::log() const {
  return gate_->log();
}

void database::clear_log() {
  gate_->clear_log();
}

}  // namespace scalekit::testing

#include "scalekit/cache/store.hpp"

#include "cache/engine.hpp"
#include "cache/errors.hpp"
#include "cache/shared_url.hpp"
#include "cache/validate.hpp"

#include <utility>

namespace scalekit::cache {

using detail::closed_error;
using detail::raw_lookup;

store store::open(store_params params) {
  detail::choose_shared(params);
  detail::use_directory_of_url(params);
  detail::validate(params);
  auto body = std::make_shared<state>(std::move(params));
  // Calls and background loads hold the state too. What of it is the host's loop's goes with the
  // last handle, before the loop can.
  const std::shared_ptr<void> handle(nullptr, [body](void*) { body->close(); });
  return store(std::shared_ptr<state>(handle, body.get()));
}

raw_lookup store::read(std::string_view key, const call_options& options,
                       detail::value_port& port) {
  state_->enter_blocking("cache::store::get", key, options, false);
  return state_->read(state_->table.hashed(key), port, options);
}

raw_lookup store::read_or_load(std::string_view text, const policy& how,
                               const call_options& options, detail::value_port& port,
                               const detail::raw_loader& loader, bool loader_is_owned) {
  auto& self = *state_;
  self.enter_blocking("cache::store::get_or_load", text, options, true);
  const auto key = self.table.hashed(text);
  auto found = self.table.find_in_memory(key, port);
  if (found && how.refresh_ahead == 0) return *found;

  detail::validate(how);
  const auto until = deadline::after(options.timeout);
  return self.read_or_load({key, how, loader, loader_is_owned, until, port}, found);
}

void store::check_set(std::string_view key, const policy& how, const call_options& options) const {
  state_->enter_blocking("cache::store::set", key, options, false);
  detail::validate(how);
}

void store::write(std::string_view key, std::string_view bytes, const policy& how,
                  const call_options& options) {
  check_set(key, how, options);
  state_->sets.add();
  state_->table.put(state_->table.hashed(key), bytes, how, deadline::after(options.timeout));
}

void store::erase(std::string_view key, const call_options& options) {
  state_->enter_blocking("cache::store::erase", key, options, false);
  state_->erases.add();
  state_->table.erase(state_->table.hashed(key), deadline::after(options.timeout));
}

void store::clear() {
  state_->born.check("cache::store::clear");
  if (state_->closed) throw closed_error();
  if (state_->table.has_shared()) io_thread_mark::check_blocking_allowed("cache::store::clear");
  state_->table.clear(deadline::after(call_options{}.timeout));
}

statistics store::stats() const {
  state_->born.check("cache::store::stats");
  statistics sum;
  state_->add_to(sum);
  return sum;
}

void store::force_shared(shared_mode mode) {
  state_->born.check("cache::store::force_shared");
  if (state_->closed) throw closed_error();
  if (!state_->table.has_shared()) {
    throw error(errc::invalid_argument, "this cache has no shared server to force");
  }
  state_->table.force_shared(mode);
}

void store::close() noexcept {
  state_->close();
}

}  // namespace scalekit::cache

#include "scalekit/adapters/result_cache.hpp"

#include "adapters/result_cache_state.hpp"
#include "scalekit/core/error.hpp"

namespace scalekit::adapters {

result_cache::result_cache(db::client client, cache::store store, result_cache_params params)
    : state_(std::make_shared<detail::result_cache_state>(std::move(client), std::move(store),
                                                          std::move(params))) {
  state_->start();
}

void result_cache::run(const cached& how, const db::statement& query,
                       const db::call_options& options, detail::row_port& rows) {
  detail::cached_call call(state_, how, query, options, rows);
  if (!call.is_past()) {
    std::exception_ptr failure;
    cache::lookup<std::string> found;
    try {
      found = call.store().get_or_load<std::string>(
          call.key(), how.how(),
          [&](const cache::load_context& context) { return call.load(context); }, call.patience());
    } catch (...) {
      failure = std::current_exception();
    }
    if (call.finish(std::move(failure), found)) return;
  }
  call.read_past();
}

db::client& result_cache::client() noexcept {
  return state_->client;
}

db::write_result result_cache::write(const db::statement& query,
                                     const std::vector<std::string>& tables,
                                     const db::call_options& options) {
  std::exception_ptr failure;
  db::write_result done;
  try {
    done = client().write(query, options);
  } catch (...) {
    failure = std::current_exception();
  }
  detail::announce(*state_, tables, failure, done);
  if (failure) std::rethrow_exception(failure);
  return done;
}

void result_cache::wrote(const std::vector<std::string>& tables, std::string_view token) {
  state_->wrote(tables, token);
}

result_cache_statistics result_cache::statistics() const {
  return state_->statistics();
}

result_cache::announcement::announcement(result_cache& to, const std::vector<std::string>& tables,
                                         std::optional<db::session>& session)
    : to_(to), tables_(tables), theirs_(session) {
  // A session that has written before would hide that the token of this write is not known.
  session = ours_;
}

void result_cache::announcement::done() {
  to_.wrote(tables_, ours_.token());
  if (theirs_) theirs_->observe(ours_.newest());
}

void result_cache::announcement::failed(const std::exception_ptr& failure) {
  detail::announce(*to_.state_, tables_, failure, {});
}

namespace detail {

void announce(result_cache_state& to, const std::vector<std::string>& tables,
              const std::exception_ptr& failure, const db::write_result& done) {
  if (!failure) return to.wrote(tables, done.token());
  // It may have been made all the same.
  if (outcome_unknown(to_error(failure))) to.wrote(tables, {});
}

}  // namespace detail
}  // namespace scalekit::adapters

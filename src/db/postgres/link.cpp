#include "db/postgres/link.hpp"

#include "db/postgres/pooler_word.hpp"
#include "db/postgres/sqlstate.hpp"

#include <string_view>
#include <utility>

namespace scalekit::db::postgres {

link::link(connection_ptr conn, std::string origin, std::size_t statements)
    : conn_(std::move(conn)), origin_(std::move(origin)), capacity_(statements) {
  if (PQsetnonblocking(conn_.get(), 1) != 0 || PQenterPipelineMode(conn_.get()) != 1) {
    broken_ = true;
  }
  PQsetNoticeReceiver(conn_.get(), &link::on_notice, this);
}

/// What libpq hears while nothing is under way, an error that ends the session included, it takes
/// for a notice. When another session has crashed the server ends this one with a mere warning.
void link::on_notice(void* self, const PGresult* r) noexcept {
  const bool is_end = field_of(r, PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL" ||
                      is_connection_fatal(field_of(r, PG_DIAG_SQLSTATE));
  if (is_end) static_cast<link*>(self)->broken_ = true;
}

link::readiness link::of(const exchange& e) const noexcept {
  if (!e.entry) return readiness::ready;
  if (capacity_ == 0) {
    const bool known = e.entry->described() != nullptr && !outdated_.contains(e.entry->id);
    return known ? readiness::ready : readiness::absent;
  }
  const auto known = prepared_.find(e.entry->id);
  if (known == prepared_.end()) return readiness::absent;
  return known->second.described != nullptr ? readiness::ready : readiness::preparing;
}

void link::check_sent(int ok) {
  // What libpq cannot send it reports again when read() asks.
  if (ok != 1) broken_ = true;
}

void link::push(step_kind kind, exchange_ptr member) {
  steps_.push_back({kind, false, std::move(member)});
}

void link::prepare(const exchange_ptr& e, std::size_t keep) {
  if (capacity_ == 0) {
    check_sent(PQsendPrepare(conn_.get(), "", e->entry->text.c_str(), 0, nullptr));
    push(step_kind::parse, e);
    check_sent(PQsendDescribePrepared(conn_.get(), ""));
    push(step_kind::describe, e);
    return sync();
  }
  while (prepared_.size() >= capacity_ && drop_oldest(keep)) {
  }
  const auto id = e->entry->id;
  order_.push_front(id);
  const auto number = next_name_++;
  auto name = "sk_" + std::to_string(number);
  e->prepared_as = number;
  check_sent(PQsendPrepare(conn_.get(), name.c_str(), e->entry->text.c_str(), 0, nullptr));
  push(step_kind::parse, e);
  check_sent(PQsendDescribePrepared(conn_.get(), name.c_str()));
  push(step_kind::describe, e);
  prepared_.insert_or_assign(id,
                             prepared{number, std::move(name), nullptr, order_.begin(), e->entry});
  sync();
}

void link::touch(const statement_entry& entry) noexcept {
  const auto known = prepared_.find(entry.id);
  if (known != prepared_.end()) order_.splice(order_.begin(), order_, known->second.place);
}

/// False when there is none.
bool link::drop_oldest(std::size_t keep) {
  auto left = order_.size();
  // One that is still being prepared stays: whoever waits for it expects to find it.
  for (auto oldest = order_.rbegin(); left > keep; ++oldest, --left) {
    const auto found = prepared_.find(*oldest);
    if (found->second.described == nullptr) continue;
    const auto text = "deallocate " + found->second.name;
    check_sent(
        PQsendQueryParams(conn_.get(), text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1));
    push(step_kind::own, nullptr);
    sync();
    order_.erase(found->second.place);
    prepared_.erase(found);
    return true;
  }
  return false;
}

const description* link::description_of(const statement_entry& entry) const noexcept {
  return capacity_ == 0 ? entry.described() : prepared_.find(entry.id)->second.described;
}

void link::encode(exchange& e) const {
  const auto* told = description_of(*e.entry);
  if (e.encoded_for == told) return;
  e.parameters.encode(*e.values, told->parameters);
  e.encoded_for = told;
}

void link::send(const exchange_ptr& e) {
  if (!e->entry) return send_own(e);
  if (capacity_ == 0) return send_with_text(e);
  auto& p = prepared_.find(e->entry->id)->second;
  if (p.place != order_.begin()) order_.splice(order_.begin(), order_, p.place);
  if (e->encoded_for != p.described) {
    e->parameters.encode(*e->values, p.described->parameters);
    e->encoded_for = p.described;
  }
  e->read_by = p.described;
  e->prepared_as = p.number;
  check_sent(PQsendQueryPrepared(conn_.get(), p.name.c_str(), e->parameters.size(),
                                 e->parameters.values(), e->parameters.lengths(),
                                 e->parameters.formats(), p.described->format));
  e->sent = true;
  if (e->taker != nullptr) check_sent(PQsetSingleRowMode(conn_.get()));
  push(step_kind::run, e);
}

void link::send_own(const exchange_ptr& e) {
  if (e->often && capacity_ > 0) {
    auto known = own_prepared_.find(e->text);
    if (known == own_prepared_.end()) {
      auto name = "sk_" + std::to_string(next_name_++);
      check_sent(PQsendPrepare(conn_.get(), name.c_str(), e->text, 0, nullptr));
      push(step_kind::own, nullptr);
      known = own_prepared_.emplace(e->text, std::move(name)).first;
    }
    check_sent(
        PQsendQueryPrepared(conn_.get(), known->second.c_str(), 0, nullptr, nullptr, nullptr, 1));
  } else {
    check_sent(PQsendQueryParams(conn_.get(), e->text, 0, nullptr, nullptr, nullptr, nullptr, 1));
  }
  e->sent = true;
  push(step_kind::run, e);
}

void link::send_with_text(const exchange_ptr& e) {
  const auto* told = e->entry->described();
  if (e->encoded_for != told) {
    e->parameters.encode(*e->values, told->parameters);
    e->encoded_for = told;
  }
  e->read_by = told;
  check_sent(PQsendQueryParams(conn_.get(), e->entry->text.c_str(), e->parameters.size(),
                               told->parameters.data(), e->parameters.values(),
                               e->parameters.lengths(), e->parameters.formats(), told->format));
  e->sent = true;
  if (e->taker != nullptr) check_sent(PQsetSingleRowMode(conn_.get()));
  push(step_kind::run, e);
}

/// Nothing tells that a statement that is not prepared has other columns than when it was
/// described, but the rows themselves.
void link::read_as_sent(exchange& e, const PGresult* rows) {
  if (!e.entry || e.read_by == nullptr || e.read_by->fits(rows)) return;
  e.read_by = e.entry->note(description::from_rows(rows, e.read_by->parameters));
}

void link::sync(const exchange_ptr& commits) {
  check_sent(PQpipelineSync(conn_.get()));
  push(step_kind::sync, commits);
  ++groups_;
}

bool link::flush() {
  const int left = PQflush(conn_.get());
  if (left < 0) broken_ = true;
  return left <= 0;
}

bool link::read(std::vector<exchange_ptr>& ended, std::size_t most) {
  // What was left is dealt with first: more would pile up behind it.
  if (!std::exchange(held_, false) && PQconsumeInput(conn_.get()) != 1) broken_ = true;
  // Makes libpq look at what nobody has asked for.
  if (steps_.empty()) PQisBusy(conn_.get());
  while ((ended.size() < most || broken_) && !steps_.empty() && !held_ &&
         PQisBusy(conn_.get()) == 0) {
    result_ptr result(PQgetResult(conn_.get()));
    if (result) {
      empty_results_ = 0;
      if (is_of_libpq(result.get())) {
        broken_ = true;
        break;
      }
      take(std::move(result), ended);
      if (lost_) break;
    } else if (steps_.front().has_result) {
      steps_.pop_front();
    } else if (++empty_results_ > 2) {
      // The server is gone, and libpq has nothing more to say.
      broken_ = true;
      break;
    }
  }
  // Even of a connection that broke since, what has come before counts.
  if (held_) return false;
  if (PQstatus(conn_.get()) == CONNECTION_BAD) broken_ = true;
  if (broken_) break_off(last_word_.empty() ? PQerrorMessage(conn_.get()) : last_word_, ended);
  return !broken_ && ended.size() >= most;
}

void link::take(result_ptr result, std::vector<exchange_ptr>& ended) {
  auto& current = steps_.front();
  if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
    // Not followed by an empty result, as all others are.
    if (current.kind == step_kind::sync) {
      steps_.pop_front();
      --groups_;
    } else {
      broken_ = true;
    }
    return;
  }
  if (PQresultStatus(result.get()) == PGRES_SINGLE_TUPLE) {
    if (current.member && current.member->taker != nullptr) {
      if (capacity_ == 0) read_as_sent(*current.member, result.get());
      held_ = !current.member->taker->take(result.get());
    }
    return;
  }
  if (is_end_by_pooler(result.get())) {
    broken_ = true;
    last_word_ = field_of(result.get(), PG_DIAG_MESSAGE_PRIMARY);
    if (is_before_any_server(result.get())) call_unsent();
  }
  if (current.has_result) return;  // A statement has one; rules can make more: the first counts.
  current.has_result = true;
  switch (current.kind) {
    case step_kind::parse:
      end_of_parse(*current.member, std::move(result));
      break;
    case step_kind::describe:
      end_of_describe(current.member, std::move(result), ended);
      break;
    case step_kind::run:
      end_of_run(current.member, std::move(result), ended);
      break;
    case step_kind::sync:
      // The commit failed, a deferred constraint for instance; the end of the group comes yet.
      current.has_result = false;
      if (current.member && current.member->end == exchange::ending::done) {
        current.member->end = exchange::ending::failed;
        current.member->result = std::move(result);
      }
      break;
    case step_kind::own:
      break;
  }
}

/// Of all that is under way: no server has heard of it.
void link::call_unsent() noexcept {
  for (const auto& s : steps_) {
    if (s.member && s.member->end == exchange::ending::none) s.member->sent = false;
  }
}

void link::end_of_parse(exchange& e, result_ptr result) {
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
  if (!is_of_lost_connection(result.get())) e.result = std::move(result);
}

/// libpq's own words: the server is gone, and has said nothing of this one. Then this is the end of
/// all that is under way.
bool link::is_of_lost_connection(const PGresult* result) noexcept {
  const bool lost =
      PQstatus(conn_.get()) == CONNECTION_BAD && field_of(result, PG_DIAG_SQLSTATE).empty();
  lost_ |= lost;
  broken_ |= lost;
  return lost;
}

void link::end_of_describe(const exchange_ptr& e, result_ptr result,
                           std::vector<exchange_ptr>& ended) {
  const auto known = prepared_.find(e->entry->id);
  const bool is_ok = PQresultStatus(result.get()) == PGRES_COMMAND_OK;
  if (is_ok && capacity_ == 0) {
    e->entry->note(description::from(result.get()));
    outdated_.erase(e->entry->id);
    e->end = exchange::ending::prepared;
  } else if (is_ok && known != prepared_.end()) {
    known->second.described = e->entry->note(description::from(result.get()));
    e->end = exchange::ending::prepared;
  } else {
    forget(*e);
    if (is_of_lost_connection(result.get())) return;
    if (!e->result) e->result = std::move(result);
    e->end = exchange::ending::failed;
  }
  ended.push_back(e);
}

void link::end_of_run(const exchange_ptr& e, result_ptr result, std::vector<exchange_ptr>& ended) {
  switch (PQresultStatus(result.get())) {
    case PGRES_TUPLES_OK:
      if (capacity_ == 0) read_as_sent(*e, result.get());
      [[fallthrough]];
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      e->end = exchange::ending::done;
      break;
    case PGRES_PIPELINE_ABORTED:
      if (is_of_lost_connection(result.get())) return;
      e->end = exchange::ending::skipped;
      break;
    default:
      if (is_of_lost_connection(result.get())) return;
      e->end = exchange::ending::failed;
      break;
  }
  // Somebody may have dropped it.
  if (e->often && e->end != exchange::ending::done) own_prepared_.erase(e->text);
  e->result = std::move(result);
  ended.push_back(e);
}

void link::break_off(std::string why, std::vector<exchange_ptr>& ended) {
  broken_ = true;
  while (!why.empty() && why.back() == '\n') why.pop_back();
  for (auto& s : steps_) {
    if (!s.member) continue;
    const bool commits = s.kind == step_kind::sync;
    // Whether what seemed done was committed is not known.
    if (s.member->end != (commits ? exchange::ending::done : exchange::ending::none)) continue;
    s.member->end = exchange::ending::lost;
    s.member->lost_because = why;
    if (!commits) ended.push_back(std::move(s.member));
  }
  steps_.clear();
  groups_ = 0;
}

const std::string* link::name_of(const statement_entry& entry) const noexcept {
  const auto known = prepared_.find(entry.id);
  const bool is_ready = known != prepared_.end() && known->second.described != nullptr;
  return is_ready ? &known->second.name : nullptr;
}

void link::forget(const exchange& e) noexcept {
  if (capacity_ == 0) {
    if (e.entry->described() != nullptr) outdated_.insert(e.entry->id);
    return;
  }
  const auto known = prepared_.find(e.entry->id);
  if (known != prepared_.end() && known->second.number == e.prepared_as) forget(*e.entry);
}

void link::forget(const statement_entry& entry) noexcept {
  const auto known = prepared_.find(entry.id);
  if (known == prepared_.end()) return;
  order_.erase(known->second.place);
  prepared_.erase(known);
}

link::outside_pipeline::outside_pipeline(link& l) noexcept : link_(l) {
  link_.check_sent(PQexitPipelineMode(link_.conn_.get()));
}

link::outside_pipeline::~outside_pipeline() {
  if (!link_.broken_) link_.check_sent(PQenterPipelineMode(link_.conn_.get()));
}

}  // namespace scalekit::db::postgres

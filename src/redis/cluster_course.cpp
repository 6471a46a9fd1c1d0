#include "redis/cluster_course.hpp"

#include "redis/asking.hpp"

#include <string>
#include <utility>

namespace scalekit::redis::detail {

cluster_course::cluster_course(std::shared_ptr<cluster_nodes> nodes, const request& what,
                               std::optional<std::uint16_t> slot, const call_options& options,
                               time_point until)
    : nodes_(std::move(nodes)), command_(what.name), slot_(slot), options_(options), until_(until) {
  if (options.read_from == read_from::replica && what.is_read) replica_ = nodes_->random();
}

single_server& cluster_course::next(request& what) {
  set_asking(what, is_asking_);
  if (named_) {
    at_ = {std::exchange(named_, nullptr), false, nodes_->generation()};
    return at_.node->server();
  }
  at_ = nodes_->find({.slot = slot_, .replica = replica_, .tried = replicas_tried_});
  if (!at_.node) {
    nodes_->want_map();
    const auto why = nodes_->map_failure();
    throw error(make_error_code(errc::unavailable),
                {command_ + ": no node has told the slot map" + (why.empty() ? "" : "; " + why),
                 {},
                 {},
                 nodes_->name()});
  }
  return at_.is_replica ? at_.node->replica() : at_.node->server();
}

call_options cluster_course::options(time_point now) const {
  auto o = options_;
  o.timeout = until_ - now;
  return o;
}

hop_plan cluster_course::failed(error& e, time_point now) {
  const auto end = hop_end_of(e);
  if (end == hop_end::moved) nodes_->moved.add();
  if (end == hop_end::ask) nodes_->asked.add();
  auto plan = plan_hop(end, history_,
                       {.now = now,
                        .until = until_,
                        .acquire_timeout = nodes_->params().acquire_timeout,
                        .pauses = nodes_->params().reconnect,
                        .random = nodes_->random(),
                        .was_at_replica = at_.is_replica});
  if (at_.is_replica) ++replicas_tried_;
  is_asking_ = plan.with_asking;
  if (plan.to_named) follow(e, plan);
  if (plan.refreshes_map) nodes_->want_map(named_.get());
  if (nodes_->is_closed()) plan.next = hop_plan::step::give_up;
  const bool is_redirect = end == hop_end::moved || end == hop_end::ask;
  if (is_redirect && plan.next == hop_plan::step::give_up) e = lost(e, plan.is_lost);
  return plan;
}

error cluster_course::lost(const error& e, bool is_for_good) const {
  auto diag = e.diag();
  if (!is_for_good) {
    diag.client_message = command_ + ": its time was over while nodes sent it on to others";
    return {make_error_code(errc::acquire_timeout), std::move(diag)};
  }
  diag.client_message =
      command_ + (history_.redirects > max_redirects
                      ? ": sent on from node to node " + std::to_string(max_redirects) +
                            " times: the nodes of the cluster do not agree on who has its slot"
                      : std::string(": sent on to what is no node"));
  return {make_error_code(errc::unavailable), std::move(diag)};
}

void cluster_course::follow(const error& e, hop_plan& plan) {
  const std::string_view said = e.diag().server_message;
  const auto to = redirect_from(said.substr(said.find(' ') + 1), at_.node->where());
  if (to) named_ = nodes_->at(to->to);
  if (!named_) {
    plan = {.is_lost = true};
    return;
  }
  if (plan.corrects_map) nodes_->correct(to->slot, named_);
}

}  // namespace scalekit::redis::detail

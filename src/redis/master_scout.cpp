#include "redis/master_scout.hpp"

#include "redis/master_watch.hpp"
#include "redis/sentinel_words.hpp"

#include <boost/asio/post.hpp>

#include <utility>
#include <variant>

namespace scalekit::redis::detail {

namespace asio = boost::asio;

master_scout::master_scout(std::shared_ptr<site> of, const asio::any_io_executor& loop)
    : site_(std::move(of)), loop_(loop), search_(site_->params.service, site_->sentinels) {}

void master_scout::search() {
  asio::post(loop_, [self = shared_from_this()] { self->begin(); });
}

void master_scout::doubt(std::size_t sentinel) {
  asio::post(loop_, [self = shared_from_this(), sentinel] { self->search_.doubt(sentinel); });
}

void master_scout::close() {
  asio::post(loop_, [self = shared_from_this()] {
    self->is_over_ = true;
    self->hang_up();
    for (const auto& each : self->ears_) each->close();
  });
}

void master_scout::begin() {
  if (is_over_ || asked_ || !site_->master->is_awaited()) return;
  begin_listening();
  ask(search_.begin());
}

void master_scout::begin_listening() {
  if (!ears_.empty()) return;
  for (std::size_t i = 0; i < site_->sentinels.size(); ++i) {
    const auto& sentinel = site_->sentinels[i];
    auto tell = [weak = weak_from_this(), i, &sentinel](const place& master, bool is_news) {
      const auto self = weak.lock();
      if (!self || !self->site_->master->announce(master, sentinel)) return;
      // Who comes late may only have heard nothing for long.
      if (is_news) self->search_.prefer(i);
    };
    ears_.push_back(std::make_shared<sentinel_ear>(site_, loop_, sentinel, std::move(tell)));
    ears_.back()->listen();
  }
}

void master_scout::ask(std::size_t sentinel) {
  asked_ = std::make_shared<sentinel_line>(site_, loop_, site_->sentinels[sentinel]);
  const auto weak = weak_from_this();
  asked_->start(sentinel_question(site_->params.service), site_->sentinel_patience(),
                {.on_reply =
                     [weak](const reply& said) {
                       if (const auto self = weak.lock()) self->heard(said);
                     },
                 .on_end =
                     [weak](const std::string& why) {
                       if (const auto self = weak.lock()) self->judge({.why = why});
                     }});
}

void master_scout::heard(const reply& said) {
  if (!address_) {
    address_ = said;
    return;
  }
  judge(read_word(*address_, said));
}

void master_scout::judge(sentinel_word word) {
  hang_up();
  const auto next = search_.take(std::move(word));
  if (const auto* sentinel = std::get_if<std::size_t>(&next)) return ask(*sentinel);
  if (const auto* found = std::get_if<found_master>(&next)) return site_->master->answer(*found);
  site_->master->answer(std::get<failed_search>(next));
}

void master_scout::hang_up() {
  address_.reset();
  if (!asked_) return;
  asked_->close();
  asked_.reset();
}

}  // namespace scalekit::redis::detail

#include "redis/sentinel_ear.hpp"

#include "redis/sentinel_words.hpp"
#include "redis/server_error.hpp"

#include <utility>

namespace scalekit::redis::detail {

namespace asio = boost::asio;

sentinel_ear::sentinel_ear(std::shared_ptr<site> of, const asio::any_io_executor& loop,
                           place sentinel, teller tell)
    : site_(std::move(of)),
      loop_(loop),
      sentinel_(std::move(sentinel)),
      tell_(std::move(tell)),
      pause_(loop) {}

void sentinel_ear::listen() {
  answers_ = 0;
  line_ = std::make_shared<sentinel_line>(site_, loop_, sentinel_);
  const auto weak = weak_from_this();
  line_->start(sentinel_listen(site_->params.service), site_->params.connect_timeout,
               {.on_reply =
                    [weak](const reply& said) {
                      if (const auto self = weak.lock()) self->heard(said);
                    },
                .on_end =
                    [weak](const std::string& why) {
                      if (const auto self = weak.lock()) self->lost(why);
                    }});
}

void sentinel_ear::heard(const reply& said) {
  // Two were asked for; what comes after them comes by itself.
  if (answers_ < 3) ++answers_;
  if (answers_ == 1) {
    if (const auto where = read_address(said)) tell_(*where, false);
    return;
  }
  if (said.kind == reply_kind::error) {
    return lost("listening was refused: " + server_error(said, {}, {}).diag().server_message);
  }
  if (answers_ == 2) {
    failures_ = 0;
    return line_->be_patient();
  }
  if (const auto where = read_switch(said, site_->params.service)) tell_(*where, true);
}

void sentinel_ear::lost(const std::string& why) {
  line_->close();
  // Once each time that it is away.
  if (failures_++ == 0) {
    site_->log(log_level::warning, "redis.sentinel_lost", why, sentinel_);
  }
  pause_.expires_after(backoff_delay(site_->params.reconnect, failures_, site_->random));
  pause_.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (!ec && self) self->listen();
  });
}

void sentinel_ear::close() {
  pause_.cancel();
  if (line_) line_->close();
}

}  // namespace scalekit::redis::detail

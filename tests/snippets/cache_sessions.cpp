#include "scalekit/cache.hpp"
#include "scalekit/cache/json_codec.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace cache = scalekit::cache;
using namespace std::chrono_literals;

struct basket {
  std::vector<std::string> goods;
};
BOOST_DESCRIBE_STRUCT(basket, (), (goods))

namespace {

std::size_t served = 0;

void serve(const std::string& user, const basket& b) {
  if (user == "anna") served += b.goods.size();
}

}  // namespace

int main() {
  auto store = cache::store::open();
  //[sessions
  cache::sessions sessions(store, {.idle = 30min, .lifetime = 12h});

  auto id = sessions.create("", basket{});          // a cookie: HttpOnly, Secure, SameSite
  sessions.save(id, basket{{"sofa"}});              // false: it is over
  auto next = sessions.rotate(id, "anna");          // who logs in gets another id
  if (auto known = sessions.load<basket>(*next)) {  // known->user, known->data
    serve(known->user, known->data);
  }
  sessions.destroy(*next);       // logged out
  sessions.destroy_all("anna");  // on every device
  //]
  return served == 1 && !sessions.touch(*next) ? 0 : 1;
}

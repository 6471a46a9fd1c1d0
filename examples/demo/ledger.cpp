#include "ledger.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <exception>

namespace demo {
namespace {

namespace json = boost::json;

std::string text(const json::object& in, const char* name) {
  return json::value_to<std::string>(in.at(name));
}

json::value parse(std::string_view body) {
  return json::parse({body.data(), body.size()});
}

}  // namespace

void ledger::add_order(std::string_view body) {
  try {
    auto value = parse(body).as_object();
    const auto& jobs = value.at("jobs").as_object();
    orders_.push_back({value.at("order_id").to_number<std::int64_t>(), text(jobs, "payment"),
                       text(jobs, "inventory"), text(jobs, "email")});
  } catch (const std::exception&) {
    ++unreadable_;
  }
}

void ledger::add_job(std::string_view kind, std::string_view body) {
  try {
    auto value = parse(body).as_object();
    jobs_.push_back({std::string(kind), text(value, "job_id")});
  } catch (const std::exception&) {
    ++unreadable_;
  }
}

}  // namespace demo

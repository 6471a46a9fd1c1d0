#include "catalogue/source.hpp"

#include <array>
#include <random>
#include <string>

namespace storefront {
namespace {

constexpr std::array categories{"admin", "database", "devel", "editors", "games",  "graphics",
                                "libs",  "mail",     "math",  "net",     "python", "science",
                                "sound", "text",     "utils", "web"};
constexpr std::array materials{"steel", "oak",   "copper", "cotton", "glass",
                               "brass", "cedar", "linen",  "marble", "wool"};
constexpr std::array wares{"bolt",  "chair", "kettle", "lamp",  "rope",
                           "shelf", "spade", "table",  "valve", "wrench"};

// std::uniform_int_distribution may differ between standard libraries; the engine may not.
template <class Engine>
std::size_t below(Engine& engine, std::size_t limit) {
  return static_cast<std::size_t>(engine() % limit);
}

template <class Engine>
std::string generated_name(Engine& engine, std::int64_t index) {
  std::string name = materials[below(engine, materials.size())];
  name.append("-").append(wares[below(engine, wares.size())]);
  return name.append("-").append(std::to_string(index));
}

}  // namespace

void generate_records(std::int64_t count, const record_sink& sink) {
  std::mt19937_64 engine(20260801);
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 1; i <= count; ++i) {
    package_record record;
    record.name = generated_name(engine, i);
    record.version = "1." + std::to_string(below(engine, 20));
    record.section = categories[below(engine, categories.size())];
    record.maintainer = "Factory " + std::to_string(1 + below(engine, 300));
    record.description = "A " + record.name + ", made to order.\nSold by the pallet.";
    record.download_bytes = 1000 + static_cast<std::int64_t>(below(engine, 10'000'000));
    for (auto left = names.empty() ? 0 : below(engine, 16); left > 0; --left) {
      record.depends.push_back(names[below(engine, names.size())]);
    }
    names.push_back(record.name);
    sink(std::move(record));
  }
}

}  // namespace storefront

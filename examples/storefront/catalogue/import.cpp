#include "catalogue/import.hpp"

#include "catalogue/product.hpp"
#include "catalogue/retailers.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

namespace storefront {
namespace {

namespace db = scalekit::db;
using db::sql;

// One commit for so many products: a commit each would take the disk's time 60,000 times over,
// and one for all would keep everything in memory.
constexpr std::size_t batch_size = 2000;

void insert(db::transaction& tx, const std::vector<catalogue_product>& batch) {
  using std::int64_t;
  using text = std::string_view;
  std::vector<std::tuple<int64_t, text, text, text, text, text, int64_t, int64_t, int64_t, int64_t>>
      products;
  std::vector<std::tuple<int64_t, int64_t, text>> dependencies;
  for (const auto& p : batch) {
    products.emplace_back(p.id, p.name, p.version, p.category, p.manufacturer, p.description,
                          p.size_bytes, p.price_cents, p.stock, p.stock);
    int64_t position = 0;
    for (const auto& name : p.depends) dependencies.emplace_back(p.id, ++position, name);
  }
  tx.insert_many({"product",
                  {"id", "name", "version", "category", "manufacturer", "description", "size_bytes",
                   "price_cents", "initial_stock", "stock"}},
                 products);
  tx.insert_many({"dependency", {"product_id", "position", "depends_on"}}, dependencies);
}

/// Takes records, keeps the first of each name, writes them in batches.
class importer {
 public:
  explicit importer(db::client& db) : db_(db) {}

  void take(package_record record) {
    // An index lists a package once a version and architecture; the shop sells one of them.
    if (!names_.insert(record.name).second) return;
    batch_.push_back(to_product(static_cast<std::int64_t>(names_.size()), std::move(record)));
    if (batch_.size() == batch_size) flush();
  }

  void flush() {
    db_.transaction([&](db::transaction& tx) { insert(tx, batch_); });
    batch_.clear();
    std::fprintf(stderr, "\rimporting the catalogue: %zu products", names_.size());
  }

  std::int64_t imported() const { return static_cast<std::int64_t>(names_.size()); }

 private:
  db::client& db_;
  std::unordered_set<std::string> names_;
  std::vector<catalogue_product> batch_;
};

void throw_away_half_import(db::client& db) {
  // Nothing can refer to these rows yet: the shop opens only when the import is complete.
  db.transaction([](db::transaction& tx) {
    tx.write(sql("delete from past_sale"));
    tx.write(sql("delete from account"));
    tx.write(sql("delete from retailer"));
    tx.write(sql("delete from dependency"));
    tx.write(sql("delete from product"));
  });
}

/// Returns the name of the source that was used.
std::string read_records(const catalogue_choice& choice, const record_sink& sink) {
  using enum catalogue_choice::kind;
  if (choice.from != generated && read_apt_index(sink) > 0) return "apt";
  if (choice.from == apt) throw std::runtime_error("--catalogue apt: apt-cache has no records");
  generate_records(choice.count, sink);
  return "generated";
}

}  // namespace

void import_catalogue(db::client& db, const catalogue_choice& choice) {
  if (db.read_one<std::int64_t>(sql("select count(*) from catalogue_import")) > 0) return;
  throw_away_half_import(db);

  importer products(db);
  auto source = read_records(choice, [&](package_record r) { products.take(std::move(r)); });
  products.flush();
  std::fprintf(stderr, " (%s)\n", source.c_str());

  db.transaction([&](db::transaction& tx) {
    add_retailers(tx, products.imported());
    tx.write(
        sql("insert into catalogue_import (id, source, products, finished_at) "
            "values (1, $1, $2, $3)",
            source, products.imported(), scalekit::clock::system().wall_now()));
  });
}

}  // namespace storefront
